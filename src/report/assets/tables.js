// SPDX-License-Identifier: GPL-2.0-only
// A click on a column's head sorts: numbers from high to low first, texts from A on.
"use strict";

function sortKey(row, column) {
	const cell = row.cells[column];
	const text = cell.dataset.v ?? cell.textContent;
	const number = Number(text);
	return text !== "" && !Number.isNaN(number) ? number : text;
}

function compare(a, b) {
	if (typeof a === "number" && typeof b === "number")
		return a - b;
	return String(a).localeCompare(String(b), "en", { numeric: true });
}

function sortBy(table, head, column) {
	const body = table.tBodies[0], rows = [...body.rows];
	const was = head.getAttribute("aria-sort");
	const up = was ? was === "descending" : !head.classList.contains("n");

	rows.sort((a, b) => compare(sortKey(a, column), sortKey(b, column)) * (up ? 1 : -1));
	body.append(...rows);
	for (const other of table.tHead.rows[0].cells)
		other.removeAttribute("aria-sort");
	head.setAttribute("aria-sort", up ? "ascending" : "descending");
}

for (const table of $$("table.sortable")) {
	[...table.tHead.rows[0].cells].forEach((head, column) => {
		const button = html("button", { type: "button" }, head.textContent);
		head.replaceChildren(button);
		button.addEventListener("click", () => sortBy(table, head, column));
	});
}
