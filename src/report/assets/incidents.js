// SPDX-License-Identifier: GPL-2.0-only
// From an incident to its moment in the time line and back, its JSON, saving, printing.
"use strict";

function selectIncident(number) {
	chart.select(number);
	for (const article of $$("article.incident"))
		article.classList.toggle("selected", article.id === "incident-" + number);
}

function followHash() {
	const match = location.hash.match(/^#incident-(\d+)$/);
	const article = match && document.getElementById("incident-" + match[1]);
	if (!article)
		return;
	selectIncident(Number(match[1]));
	article.focus({ preventScroll: true });
}

addEventListener("hashchange", followHash);
followHash();

// A link to the incident that is in the address already changes nothing there, but is a wish all the same.
addEventListener("click", event => {
	const link = event.target.closest('a[href^="#incident-"]');
	if (link && link.getAttribute("href") === location.hash)
		followHash();
});

for (const button of $$("button[data-show]"))
	button.addEventListener("click", () => {
		selectIncident(Number(button.dataset.show));
		chart.zoomTo(Number(button.dataset.show));
		$("#timeline").scrollIntoView();
		$("#chart svg").focus({ preventScroll: true });
	});

for (const button of $$("button[data-json]"))
	button.addEventListener("click", () => {
		const tools = button.closest(".tools"), open = $("pre.json", tools.parentNode);
		if (open)
			open.remove();
		else
			tools.after(html("pre", { class: "json", tabindex: "0", "aria-label": "JSON" },
				$("#json-" + button.dataset.json).textContent));
		button.setAttribute("aria-expanded", !open);
	});

// The pieces as they are: a number that JavaScript can't hold must not lose digits.
$("#save").addEventListener("click", () => {
	const rest = $("#json").textContent.trim();
	const parts = view.incidents.map(i => $("#json-" + i.number).textContent);
	const text = rest.replace(/\}$/, () => ',\n"incidents":[\n' + parts.join(",\n") + "\n]}\n");
	const link = html("a", {
		href: URL.createObjectURL(new Blob([text], { type: "application/json" })),
		download: "iommutop.json",
	});
	link.click();
	URL.revokeObjectURL(link.href);
});

addEventListener("beforeprint", () => {
	for (const details of $$("article.incident details"))
		details.open = true;
	chart.print(true);
});
addEventListener("afterprint", () => chart.print(false));
