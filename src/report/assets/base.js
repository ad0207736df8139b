// SPDX-License-Identifier: GPL-2.0-only
// Data, units and small helpers of the report. Names in the data are a stranger's: they get into the page as text only.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const view = JSON.parse($("#view").textContent);

document.documentElement.classList.add("js");

// The same units as in the text report.
function duration(ns) {
	if (ns < 1000)
		return Math.round(ns) + " ns";
	const units = [[1e3, "us"], [1e6, "ms"], [1e9, "s"]];
	const [unit, name] = units.find(([u]) => ns / u < 999.5) || units[2];
	const v = ns / unit;
	return v.toFixed(v < 9.995 ? 2 : v < 99.95 ? 1 : 0) + " " + name;
}

function scaled(v, step, names, digits) {
	let n = 0;
	while (v >= step && n + 1 < names.length) {
		v /= step;
		n++;
	}
	return (v < 10 && v % 1 ? v.toFixed(digits) : v < 100 && v % 1 ? v.toFixed(1) : Math.round(v)) + " " + names[n];
}

const bytes = v => scaled(v, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 1);
const rate = v => scaled(v, 1000, ["/s", "k/s", "M/s", "G/s"], v < 1 ? 2 : 1);

// ns after the time line's begin, as seconds since the report's zero, as fine as step (ns) needs.
function seconds(ns, step) {
	const digits = Math.min(9, Math.max(0, 9 - Math.floor(Math.log10(Math.max(step, 1)))));
	return ((ns - view.zero) / 1e9).toFixed(digits) + " s";
}

function wallClock(ns) {
	if (view.zero_real_ms === null)
		return "";
	return new Date(view.zero_real_ms + (ns - view.zero) / 1e6).toISOString().replace("T", " ").replace("Z", " UTC");
}

function element(space, name, attributes, children) {
	const e = space ? document.createElementNS(space, name) : document.createElement(name);
	for (const [key, value] of Object.entries(attributes || {}))
		e.setAttribute(key, value);
	e.append(...(children || []));
	return e;
}

const html = (name, attributes, ...children) => element(null, name, attributes, children);
const svg = (name, attributes, ...children) =>
	element("http://www.w3.org/2000/svg", name, attributes, children);

// --- light and dark ---

{
	const button = $("#theme"), dark = matchMedia("(prefers-color-scheme: dark)");
	const root = document.documentElement;
	const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
	const show = () => button.setAttribute("aria-pressed", isDark());

	button.addEventListener("click", () => {
		root.dataset.theme = isDark() ? "light" : "dark";
		show();
	});
	dark.addEventListener("change", show);
	show();
}
