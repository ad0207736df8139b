// SPDX-License-Identifier: GPL-2.0-only
// node report.js DIR: tests the reports DIR/*.html in a browser, against what --json says (DIR/*.json). TAP. With
// SHOTS=DIR, pictures of each are left there for people to look at.
"use strict";

const { readFileSync, writeFileSync, existsSync, mkdirSync } = require("node:fs");
const { isDeepStrictEqual } = require("node:util");
const path = require("node:path");
const { Browser } = require("./cdp.js");

const LATE = 7; // IOT_LOST_LATE: nothing is missing
const dir = path.resolve(process.argv[2]);
const browser = new Browser();
let tests = 0, failed = 0;
let seen; // what the page in hand did: console, requests, dialogs

function check(name, ok, detail) {
	tests++;
	failed += ok ? 0 : 1;
	console.log(`${ok ? "ok" : "not ok"} ${tests} - ${name}`);
	if (!ok && detail !== undefined)
		console.log("# " + JSON.stringify(detail).slice(0, 800));
}

const equal = (name, got, want) => check(name, isDeepStrictEqual(got, want), { got, want });
const url = name => "file://" + path.join(dir, name + ".html");
const json = name => JSON.parse(readFileSync(path.join(dir, name + ".json"), "utf8"));
const ev = expression => browser.evaluate(expression);

function watch(method, params) {
	if (method === "Runtime.consoleAPICalled")
		seen.console.push(params.args.map(a => a.value || a.description).join(" "));
	else if (method === "Runtime.exceptionThrown")
		seen.console.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
	else if (method === "Log.entryAdded")
		seen.console.push(params.entry.text);
	else if (method === "Network.requestWillBeSent")
		seen.requests.push(params.request.url);
	else if (method === "Page.javascriptDialogOpening") {
		seen.console.push("dialog: " + params.message);
		browser.send("Page.handleJavaScriptDialog", { accept: true });
	}
}

async function open(name) {
	const loaded = browser.event("Page.loadEventFired");
	seen = { console: [], requests: [] };
	await browser.send("Page.navigate", { url: url(name) });
	await loaded;
}

async function quiet(name) {
	await ev("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))");
	equal(`${name}: nothing on the console`, seen.console, []);
	equal(`${name}: no request but the file itself`, seen.requests.filter(u => u !== url(name)), []);
	check(`${name}: and that was seen`, seen.requests.includes(url(name)));
}

const size = (width, height) => browser.send("Emulation.setDeviceMetricsOverride",
	{ width, height, deviceScaleFactor: 1, mobile: false });
const media = (scheme, kind = "") => browser.send("Emulation.setEmulatedMedia",
	{ media: kind, features: [{ name: "prefers-color-scheme", value: scheme }] });

async function shot(name) {
	if (!process.env.SHOTS)
		return;
	mkdirSync(process.env.SHOTS, { recursive: true });
	const { data } = await browser.send("Page.captureScreenshot", { captureBeyondViewport: true,
		clip: { x: 0, y: 0, width: await ev("innerWidth"), height: await ev("document.documentElement.scrollHeight"), scale: 1 } });
	writeFileSync(path.join(process.env.SHOTS, name + ".png"), Buffer.from(data, "base64"));
}

async function mouse(type, x, y, more) {
	await browser.send("Input.dispatchMouseEvent", { type, x, y, button: "none", ...more });
}

const middle = selector => ev(`(() => {
	const b = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
	return [b.left + b.width / 2, b.top + b.height / 2];
})()`);

async function click(selector) {
	await ev(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView({ block: "center" })`);
	const [x, y] = await middle(selector);
	await mouse("mousePressed", x, y, { button: "left", buttons: 1, clickCount: 1 });
	await mouse("mouseReleased", x, y, { button: "left", clickCount: 1 });
}

async function key(name) {
	const text = name.length === 1 ? name : name === "Enter" ? "\r" : undefined;
	await browser.send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", key: name, text,
		windowsVirtualKeyCode: name === "Enter" ? 13 : 0 });
	await browser.send("Input.dispatchKeyEvent", { type: "keyUp", key: name });
}

const inView = selector => `(() => {
	const b = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
	return b.top >= 0 && b.top < innerHeight && b.width > 0;
})()`;

// --- what is in the page ---

const number = v => v ?? 0; // what isn't known is "-" and sorts as 0

// The rows of each table that there must be, of what --json says. Numbers as they are, not as they are shown.
function tables(report) {
	const domains = report.domains, all = {};
	const put = (caption, rows) => { if (rows.length) all[caption] = rows; };
	const percentiles = (t, names) => names.map(n => number(t?.[n + "_ns"]));
	const ratio = (a, b) => b ? a / b : 0;
	const id = d => String(d.number);
	const device = nr => {
		const d = report.devices.find(one => one.number === nr);
		return report.origins ? `${d.name}@${d.origin}` : d.name;
	};

	put("Maps in lists (neighbours in a row: one call, as far as can be told), and the pages they could be mapped with",
		domains.filter(d => d.stats.maps).map(d => {
			const s = d.stats, page = s.mappable_bytes;
			return [id(d), s.maps, s.map_lists, ratio(s.maps, s.map_lists), s.map_list_longest,
				Math.floor(s.map_bytes / s.map_lists), ratio(s.flush_kinds.sync_map.count, s.map_lists),
				...[page["4k"], page["2m"], page["1g"]].map(b => ratio(b, s.map_bytes))];
		}));
	put("Maps that failed", domains.flatMap(d => {
		const named = d.stats.map_errors.map(e => [id(d), e.error, e.count]);
		const rest = d.stats.map_failed - named.reduce((sum, e) => sum + e[2], 0);
		return rest ? [...named, [id(d), "others", rest]] : named;
	}));
	put("IOVA allocator", domains.filter(d => d.stats.iova_allocs + d.stats.iova_failed + d.stats.iova_frees).map(d => {
		const s = d.stats;
		return [id(d), s.iova_allocs, s.iova_failed, s.iova_frees, ratio(s.iova_slow, s.iova_allocs + s.iova_failed),
			...percentiles(s.iova_time, ["p50", "p99", "p999", "max"])];
	}));
	put("IOVA allocator: does it age?", domains.filter(d => d.iova_over_time?.bins.length >= 4).flatMap(d => {
		const o = d.iova_over_time, nr = o.bins.length, quarter = Math.floor(nr / 4);
		return [["first", 0, quarter], ["last", nr - quarter, nr]].map(([name, from, to]) => {
			const sum = key => o.bins.slice(from, to).reduce((total, b) => total + b[key], 0);
			const ns = Math.min((to - from) * o.bin_ns, o.end_ns - o.begin_ns - from * o.bin_ns);
			const allocations = sum("allocs") + sum("failed");
			return [id(d), name, ratio(allocations * 1e9, ns), ratio(sum("slow"), allocations),
				Math.floor(ratio(sum("total_ns"), sum("timed"))), sum("allocs") - sum("frees")];
		});
	}));
	put("Still mapped at the end, by who mapped it, and the bytes by the eighth of the capture in which they were mapped",
		(report.leaks?.mappers ?? []).map(k => [k.device ? device(k.device) : "domain " + k.domain, k.mappings, k.bytes,
			report.leaks.end_ns - k.oldest_ns, ...k.bytes_by_eighth]));
	put("IOTLB flushes by reason", domains.map(d => [id(d), ...["strict", "range", "queue_full", "timer", "map", "detach", "other", "unknown"]
		.map(why => d.stats.flushes[why])]).filter(row => row.slice(1).some(Boolean)));
	for (const mode of ["lazy", "strict"])
		put(`Windows of ${mode} unmaps`, domains.filter(d => d.stats["unmaps_" + mode]).map(d => {
			const w = d.stats["window_" + mode];
			return [id(d), d.stats["unmaps_" + mode], number(w?.count), ...percentiles(w, ["p50", "p90", "p99", "p999", "max"])];
		}));
	put("What flushes covered, and the time spent in them", domains.flatMap(d =>
		[["unknown", "not known"], ["all", "whole domain"], ["sync", "ranges"], ["sync_map", "after map"]]
			.map(([key, name]) => [d.stats.flush_kinds[key], name]).filter(([k]) => k.count).map(([k, name]) => {
				const useful = name === "after map" ? 0 : k.count - k.empty;
				return [id(d), name, k.count, k.total_ns, k.empty, ratio(k.covered_unmaps, useful),
					useful ? k.covered_unmaps_most : 0, ratio(Math.floor(k.covered_bytes / 4096), useful)];
			})));
	const times = (name, o, windows) => [["flush", "flush_time"], ["flush after map", "flush_after_map_time"],
		["IOVA allocation", "iova_time"], ...(windows ? [["window, lazy", "window_lazy"], ["window, strict", "window_strict"]] : [])]
		.filter(([, key]) => o.stats[key]).map(([what, key]) => [name, what, o.stats[key].count,
			...percentiles(o.stats[key], ["p50", "p90", "p99", "p999", "max"])]);
	const alone = d => domains.some(o => o.number === d.domain && o.stats.unmaps === d.stats.unmaps &&
		o.stats.iova_time?.count === d.stats.iova_time?.count);
	put("Times", [...domains.flatMap(d => times("domain " + d.number, d, false)),
		...report.devices.filter(d => !alone(d)).flatMap(d => times(device(d.number), d, true))]);
	const modes = key => domains.filter(d => d.strict_or_lazy?.[key] && d.strict_or_lazy.watched_ns)
		.map(d => [id(d), d.strict_or_lazy[key], d.strict_or_lazy.watched_ns]);
	put("Strict now: what it costs, and what lazy would (an estimate)", modes("strict").map(([nr, w, span]) =>
		[nr, w.unmaps, w.flushes, w.flush_ns, w.flush_ns / span, w.lazy_flushes_estimate, w.lazy_exposed_byte_s_limit]));
	put("Lazy now: what it costs, and what strict would (an estimate)", modes("lazy").map(([nr, w, span]) =>
		[nr, w.unmaps, w.covered, w.waiting_at_end, w.window_max_ns, w.exposed_bytes_mean, w.exposed_byte_s,
			number(w.strict_flush_ns_estimate), number(w.strict_flush_ns_estimate) / span, number(w.strict_flush_mean_ns)]));
	put("NUMA: unmaps and flushes by the CPU's node, and the device's", report.devices.filter(d => d.numa).flatMap(d =>
		[["cpu_not_known", "not known"], ["own_node", "own"], ["other_node", "other"]].map(([key, name]) => [d.numa[key], name])
			.filter(([n]) => n.unmaps || n.flush_time).map(([n, name]) => [device(d.number), String(d.numa_node), name, n.maps, n.unmaps,
				number(n.flush_time?.count), ...percentiles(n.flush_time, ["p50", "p99"]), ...percentiles(n.window, ["p50", "p99"])])));
	return all;
}

const shownTables = `Object.fromEntries([...document.querySelectorAll("#maps table, #flushes table")].map(t => [t.caption.textContent,
	[...t.tBodies[0].rows].map(r => [...r.cells].filter((c, n) => t.tHead.rows[0].cells[n].textContent !== "mapped by")
		.map(c => c.dataset.v === undefined ? c.textContent : Number(c.dataset.v)))]))`;

async function contents(name, report) {
	const page = await ev(`({
		articles: [...document.querySelectorAll("article.incident")].map(a => ({
			title: a.querySelector("h3").textContent,
			explanation: a.querySelector(".explanation").textContent,
			evidence: [...a.querySelectorAll(".evidence tbody tr")].map(r => [r.cells[1].textContent, r.cells[2].textContent]),
			notes: [...a.querySelectorAll(".notseen + ul li")].map(l => l.textContent),
		})),
		marks: Object.fromEntries(["fault", "hang", "reset", "error", "stall"].map(k => [k, document.querySelectorAll("#chart .mark." + k).length])),
		badges: document.querySelectorAll("#chart .badge").length,
		gaps: document.querySelectorAll("#chart .gap").length,
		devices: [...document.querySelectorAll("#devices table")].map(t => t.tBodies[0].rows.length),
		losses: [...document.querySelectorAll("#coverage table")].map(t => t.tBodies[0].rows.length),
		names: [...document.querySelectorAll("#devices .scroll:first-of-type tbody td:nth-child(${report.origins ? 2 : 1})")].map(d => d.textContent),
		origins: [...document.querySelectorAll(".origin")].map(o => [o.querySelector("dt").textContent, o.querySelector("dd").textContent]),
		asked: document.querySelector(".asked code")?.textContent ?? null,
		tables: ${shownTables},
		title: document.title,
		width: view.width,
		missing: [...document.querySelectorAll(".warning")].some(w => w.textContent.startsWith("Events are missing")),
		overflow: document.documentElement.scrollWidth - innerWidth,
		view: { maps: view.maps, unmaps: view.unmaps, flushes: view.flushes.map(f => f.values), faults: view.faults, hangs: view.hangs, resets: view.resets, errors: view.errors,
			lazy: view.heat.filter(h => h.name.includes("lazy")).flatMap(h => h.cells.filter((_, n) => n % 3 === 2)) },
	})`);
	const sum = list => list.flat().reduce((a, b) => a + b, 0);
	const kinds = { fault: 0, hang: 0, reset: 0, error: 0, stall: 0 };

	equal(`${name}: every incident, its title, words and evidence`, page.articles, report.incidents.map(i => ({
		title: `${i.number} ${i.title}`,
		explanation: i.explanation,
		evidence: i.evidence.map(e => [e.what, e.text]),
		notes: i.not_seen,
	})));
	for (const i of report.incidents) {
		kinds.fault += i.faults.length;
		kinds.hang += i.hang ? 1 : 0;
		kinds.reset += i.reset ? 1 : 0;
		kinds.error += i.error ? 1 : 0;
		kinds.stall += i.stall ? 1 : 0;
	}
	equal(`${name}: a mark for each fault, hang, reset, error and stall`, page.marks, kinds);
	equal(`${name}: a number for each incident`, page.badges, report.incidents.length);
	equal(`${name}: each loss is hatched`, page.gaps,
		report.losses.filter(l => l.cause_code !== LATE).length +
		// attaching, if something was seen before it was over
		(report.capture.attach_begin_ns && report.capture.begin_ns > report.capture.first_event_ns + page.width ? 1 : 0));
	equal(`${name}: rows of devices and domains`, page.devices,
		[report.devices.length, report.domains.length].filter(Boolean));
	equal(`${name}: rows of losses and self-checks`, page.losses,
		[report.losses.length, report.coverage.length].filter(Boolean));
	equal(`${name}: a warning if events are missing`, page.missing, report.losses.some(l => l.cause_code !== LATE));
	const wanted = tables(report);
	for (const caption of new Set([...Object.keys(wanted), ...Object.keys(page.tables)]))
		equal(`${name}: ${caption.split(/[(:,]/)[0].trim()}, as in JSON`, page.tables[caption], wanted[caption]);
	equal(`${name}: which sessions it is made of`, page.origins, (report.origins ?? []).map(o => ["origin @" + o.number, o.what]));
	equal(`${name}: what was asked for`, page.asked, report.scope);
	equal(`${name}: names of devices as they are`, page.names, report.devices.map(d => d.name ?? "-"));
	equal(`${name}: maps over time are the maps`, sum(page.view.maps), report.totals.maps);
	equal(`${name}: unmaps over time are the unmaps`, sum(page.view.unmaps), report.totals.unmaps);
	equal(`${name}: flushes over time are the flushes`, sum(page.view.flushes),
		sum(Object.values(report.totals.flushes)));
	for (const kind of ["faults", "hangs", "resets", "errors"])
		equal(`${name}: ${kind} over time are the ${kind}`, sum(page.view[kind]), report.totals[kind]);
	equal(`${name}: cells of the heat map are the windows`, sum(page.view.lazy), report.totals.window_lazy?.count ?? 0);
	check(`${name}: the page is not wider than the window`, page.overflow <= 0, page.overflow);
	return page;
}

// --- what it does ---

async function incidents(report) {
	const second = "#incident-2", link = `.index a[href="${second}"]`;

	await click(link);
	check("a click in the list shows the incident", await browser.until(inView(second)));
	check("its evidence is in sight", await browser.until(inView(second + " .evidence")));
	check("it is marked", await browser.until(`document.querySelector("${second}").classList.contains("selected")`));
	check("its moment is marked in the time line", await ev(`(() => {
		const band = document.querySelector("#chart .band").getBBox();
		const mark = document.querySelector('#chart .mark.fault[href="${second}"]').getBBox();
		const middle = mark.x + mark.width / 2;
		return band.x <= middle && middle <= band.x + band.width && band.width < 40;
	})()`));
	await click('#chart .mark.hang');
	check("a click on the hang shows its incident", await browser.until(`location.hash === "#incident-1" && ${inView("#incident-1")}`));
	await ev("scrollTo(0, 0)");
	await click('#chart .mark.fault[href="#incident-1"]');
	check("a click on a fault of the incident that is in the address does too",
		await browser.until(inView("#incident-1")));

	await click(`${second} button[data-show]`);
	check("the time line comes into sight", await browser.until(inView("#chart svg")));
	equal("and shows that incident alone", await ev(`[...document.querySelectorAll("#chart .badge")].map(b => b.textContent.trim())
		.map(t => t.slice(-1))`), ["2"]);
	await key("0");
	equal("0 shows everything again", await ev('document.querySelectorAll("#chart .badge").length'), 2);

	await click("#incident-1 button[data-json]");
	equal("JSON of an incident is that of --json", JSON.parse(await ev('document.querySelector("#incident-1 pre.json").textContent')),
		report.incidents[0]);
	await click("#incident-1 button[data-json]");
	check("and goes again", await ev('!document.querySelector("pre.json")'));
}

const readout = `Object.fromEntries([...document.querySelectorAll(".readout div")].map(d =>
	[d.querySelector("dt").textContent, d.querySelector("dd")?.textContent]))`;

async function pointer() {
	await ev('document.querySelector("#chart svg").scrollIntoView()');
	const box = await ev(`(() => { const b = document.querySelector("#chart svg").getBoundingClientRect();
		return { left: b.left, top: b.top, width: b.width, height: b.height }; })()`);
	const plot = f => box.left + 132 + f * (box.width - 132 - 14);

	await mouse("mouseMoved", plot(0.3), box.top + 60);
	const bucket = await ev("Math.floor(0.3 * view.end / view.width)");
	const values = await ev(readout);
	equal("pointing reads the interval's maps", Number(values.maps.split(" ")[0]), await ev(`view.maps[${bucket}]`));
	equal("and its unmaps", Number(values.unmaps.split(" ")[0]), await ev(`view.unmaps[${bucket}]`));
	const heat = await ev(`(() => {
		const b = document.querySelector("#chart .heat.h6").getBoundingClientRect();
		return [b.left + b.width / 2, b.top + b.height / 2];
	})()`);
	await mouse("mouseMoved", ...heat);
	check("pointing into a heat map reads a cell", /\d (n|u|m)?s to .*: \d+ windows/.test((await ev(readout))["Windows of lazy unmaps"]),
		await ev(readout));

	const y = box.top + 150;
	await mouse("mousePressed", plot(0.4), y, { button: "left", buttons: 1, clickCount: 1 });
	await mouse("mouseMoved", plot(0.45), y, { buttons: 1 });
	await mouse("mouseMoved", plot(0.5), y, { buttons: 1 });
	check("dragging shows what is chosen", await ev('document.querySelector("#chart .selection").getAttribute("visibility") === "visible"'));
	await mouse("mouseReleased", plot(0.5), y, { button: "left", clickCount: 1 });
	const ticks = await ev('[...document.querySelectorAll("#chart .tick")].map(t => parseFloat(t.textContent))');
	check("and zooms to it", ticks.length > 1 && ticks.every(t => t >= 4.7 && t <= 6.1), ticks);
	await click("#chart .bar button:nth-of-type(3)");
	equal("a button shows everything again", await ev('document.querySelectorAll("#chart .badge").length'), 2);
}

async function keyboard() {
	await ev('history.replaceState(null, "", "#"); document.querySelector("#chart svg").focus()');
	await key("n");
	let values = await ev(readout);
	check("n goes to the first mark", JSON.stringify(values).includes("0x7b657064"), values);
	await key("Enter");
	check("Enter goes to its incident", await browser.until(`location.hash === "#incident-1" && ${inView("#incident-1")}`));
	check("which is marked and has the focus", await browser.until(`document.querySelector("#incident-1").classList.contains("selected") &&
		document.activeElement.id === "incident-1"`));
	await ev('document.querySelector("#chart svg").focus()');
	await key("ArrowRight");
	const from = (await ev(readout)).from;
	await key("ArrowRight");
	values = await ev(readout);
	check("arrows move by one interval", Math.abs(parseFloat(values.from) - parseFloat(from) - await ev("view.width / 1e9")) < 0.01,
		{ from, values });
	const span = 'parseFloat([...document.querySelectorAll("#chart .tick")].at(-1).textContent) - parseFloat(document.querySelector("#chart .tick").textContent)';
	const before = await ev(span);
	await key("+");
	check("+ zooms in", await ev(span) < before * 0.7, [before, await ev(span)]);
	await key("-");
	await key("0");
	check("0 zooms out", Math.abs(await ev(span) - before) < 0.01);

	await ev('document.querySelector("#devices th:nth-child(12) button").focus()');
	await key("Enter");
	const maps = 'JSON.stringify([...document.querySelectorAll("#devices .scroll:first-of-type tbody tr")].map(r => Number(r.cells[11].dataset.v)))';
	const sorted = JSON.parse(await ev(maps));
	equal("Enter on a column's head sorts", sorted, [...sorted].sort((a, b) => b - a));
	equal("and says so", await ev('document.querySelector("#devices th:nth-child(12)").getAttribute("aria-sort")'), "descending");
	await key("Enter");
	equal("once more turns it around", JSON.parse(await ev(maps)), [...sorted].reverse());
}

// WCAG 2.1: relative luminance and contrast
const contrasts = `(() => {
	const canvas = document.createElement("canvas").getContext("2d");
	const light = color => {
		canvas.fillStyle = color;
		canvas.fillRect(0, 0, 1, 1);
		const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
			.map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	const page = light(getComputedStyle(document.body).backgroundColor);
	const color = (selector, what = "color") => light(getComputedStyle(document.querySelector(selector))[what]);
	return { page,
		text: Math.min(...["p.explanation", ".meta", "nav a", ".numbers .bad dd", "caption", "dt", "summary", "footer"]
			.map(s => ratio(color(s), page)).concat([ratio(color("#chart text.max", "fill"), page),
			ratio(color(".confidence.certain"), color(".confidence.certain", "backgroundColor"))])),
		shapes: Math.min(...[".area.maps", ".area.unmaps", ".area.why3", ".mark.fault path", ".mark.hang path", ".mark.reset path"]
			.map(s => ratio(color("#chart " + s, "fill"), page))) };
})()`;

async function looks() {
	await media("light");
	const light = await ev(contrasts);
	check("light: a light page", light.page > 0.9, light);
	check("light: text has a contrast of 4.5, shapes of 3", light.text >= 4.5 && light.shapes >= 3, light);
	await shot("light");
	await media("dark");
	const dark = await ev(contrasts);
	check("dark: a dark page", dark.page < 0.05, dark);
	check("dark: text has a contrast of 4.5, shapes of 3", dark.text >= 4.5 && dark.shapes >= 3, dark);
	await shot("dark");
	await click("#theme");
	check("the button makes it light", (await ev(contrasts)).page > 0.9);
	await click("#theme");
	check("and dark again", (await ev(contrasts)).page < 0.05);
	await media("dark", "print");
	const paper = await ev(contrasts);
	check("on paper it is light, whatever was chosen", paper.page > 0.9 && paper.text >= 4.5, paper);
	equal("on paper there are no buttons", await ev(`[...document.querySelectorAll("button")]
		.filter(b => b.getBoundingClientRect().width && !b.closest("th")).map(b => b.textContent)`), []);
	await size(760, 900);
	await shot("print");
	equal("on paper no table is cut off", await ev(`[...document.querySelectorAll("table")].filter(t =>
		t.getBoundingClientRect().right > innerWidth + 1).map(t => t.caption.textContent)`), []);
	await size(1300, 900);
	const { data } = await browser.send("Page.printToPDF", { printBackground: false });
	const pdf = Buffer.from(data, "base64");
	check("it prints", pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 20000, pdf.length);
	check("with the stacks open", await ev('[...document.querySelectorAll("article.incident details")].every(d => d.open)'));
	if (process.env.SHOTS)
		writeFileSync(path.join(process.env.SHOTS, "print.pdf"), pdf);
	await media("light");
	await size(400, 800);
	await ev("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))");
	check("on a narrow screen only tables scroll aside", await ev("document.documentElement.scrollWidth <= innerWidth"),
		await ev("document.documentElement.scrollWidth"));
	await shot("narrow");
	await size(1300, 900);
}

async function save(report) {
	await browser.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: dir, eventsEnabled: true });
	const done = browser.event("Browser.downloadProgress", p => p.state !== "inProgress");
	await click("#save");
	equal("it can be saved as JSON", (await done).state, "completed");
	const file = path.join(dir, "iommutop.json");
	const text = existsSync(file) ? readFileSync(file, "utf8") : "{}";
	equal("which is what --json prints", JSON.parse(text), report);
	check("to the last digit", text.includes(readFileSync(path.join(dir, "scene.json"), "utf8").match(/"real_minus_monotonic_ns":(\d{19})/)[1]));
}

async function policy() {
	await ev(`document.body.append(Object.assign(document.createElement("script"), { textContent: "window.injected = 1" }));
		fetch("https://example.invalid/").catch(() => { window.refused = 1; });
		document.body.append(Object.assign(new Image(), { src: "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
			onerror: () => { window.noImage = 1; } }));`);
	check("no script but ours runs, nothing is fetched, no picture is loaded",
		await browser.until("window.refused && window.noImage && !window.injected"));
	equal("and no request left", seen.requests.filter(u => u.startsWith("http")), []);
}

async function withoutScript(report) {
	await browser.send("Emulation.setScriptExecutionDisabled", { value: true });
	await open("scene");
	const text = await ev("document.body.innerText");
	check("without script: every incident in words",
		report.incidents.every(i => text.includes(i.title) && text.includes(i.explanation) && i.evidence.every(e => text.includes(e.text))));
	check("without script: devices", report.devices.every(d => text.includes(d.name)));
	await click("#timetable summary");
	check("without script: the time line as a table", await browser.until('document.querySelectorAll("#timetable tbody tr").length > 10 && document.querySelector("#timetable table").getBoundingClientRect().height > 100'));
	equal("without script: whose sum is the total", await ev(`[...document.querySelectorAll("#timetable tbody tr")]
		.reduce((sum, r) => sum + Number(r.cells[1].textContent), 0)`), report.totals.maps);
	equal("without script: no dead buttons", await ev(`[...document.querySelectorAll("button")].filter(b => b.offsetParent).length`), 0);
	await browser.send("Emulation.setScriptExecutionDisabled", { value: false });
}

async function run() {
	await Promise.all(["Page", "Runtime", "Network", "Log"].map(d => browser.send(d + ".enable")));
	browser.listeners.push(watch);
	await size(1300, 900);
	await media("light");

	const report = json("scene");
	await open("scene");
	await contents("scene", report);
	await incidents(report);
	await pointer();
	await keyboard();
	await save(report);
	await quiet("scene");
	await looks();
	await policy();
	await withoutScript(report);

	for (const name of ["hostile", "troubled", "scope", "merged", "klog", "empty"]) {
		await open(name);
		const page = await contents(name, json(name));
		await quiet(name);
		await shot(name);
		if (name !== "hostile")
			continue;
		equal("hostile: nothing became markup", await ev(`[...document.querySelectorAll("img, b[onclick], u, i:not(.swatch), h1 ~ h1, iframe")]
			.map(e => e.outerHTML)`), []);
		equal("hostile: scripts are ours only", await ev('[...document.scripts].filter(s => !s.type).length'), 1);
		check("hostile: the host's name is the title", page.title === "iommutop: " + json(name).source.hostname, page.title);
	}
}

(async () => {
	try {
		await browser.start();
	} catch (error) {
		console.log(`1..0 # SKIP ${error.message.replace(/\s+/g, " ")}`);
		console.log(`ok 1 - the report in a browser # SKIP ${error.message.replace(/\s+/g, " ")}`);
		await browser.stop();
		return;
	}
	try {
		await run();
	} catch (error) {
		check("the test comes to its end", false, error.stack);
	}
	await browser.stop();
	console.log(`1..${tests}`);
	process.exitCode = failed ? 1 : 0;
})();
