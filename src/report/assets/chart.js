// SPDX-License-Identifier: GPL-2.0-only
// The time line: lanes over one axis, with a cursor that reads all of them. What is drawn is drawn from #view alone.
"use strict";

const chart = (() => {
	const LEFT = 132, RIGHT = 14, LEVELS = 6, TITLE = 20;
	const WHOLE = Math.max(view.end, view.width);
	const nr = view.maps.length;
	const place = $("#chart");
	const marks = view.marks.map((m, n) => ({ ...m, n })).sort((a, b) => a.ns - b.ns);
	let from = 0, to = WHOLE, width = 0, height = 0;
	let cursor = null; // { bucket, lane, value } or with a mark
	let selected = 0;
	let drag = null;
	let paper = 0; // width while printing: letters keep their size on a narrow page
	let root, cursorLine, selection, lanes;

	if (!place || !nr)
		return { select() {}, zoomTo() {}, print() {} };

	const x = ns => LEFT + (ns - from) / (to - from) * (width - LEFT - RIGHT);
	const ns = px => from + (px - LEFT) / (width - LEFT - RIGHT) * (to - from);
	const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
	const bucketAt = t => clamp(Math.floor(t / view.width), 0, nr - 1);
	const first = () => bucketAt(from), last = () => bucketAt(to);
	const perSecond = count => count / (view.width / 1e9);

	// --- lanes ---

	const highest = values => {
		let max = 0;
		for (let b = first(); b <= last(); b++)
			max = Math.max(max, values[b]);
		return max;
	};

	// A filled step line: base and top are y for 0 and for max.
	function steps(values, max, base, top) {
		let d = `M${x(first() * view.width).toFixed(1)} ${base}`;
		for (let b = first(); b <= last(); b++) {
			const y = (base + (top - base) * (max ? values[b] / max : 0)).toFixed(1);
			d += `V${y}H${x(Math.min((b + 1) * view.width, WHOLE)).toFixed(1)}`;
		}
		return d + `V${base}Z`;
	}

	const label = (lane, y, text, cls) =>
		svg("text", { class: cls || "label", x: LEFT - 14, y, "text-anchor": "end" }, text);
	const line = (y, cls) => svg("line", { class: cls, x1: LEFT, x2: width - RIGHT, y1: y, y2: y });

	function pairLane() {
		return {
			height: 92,
			draw(g, top, h) {
				const middle = top + h / 2;
				const max = Math.max(highest(view.maps), highest(view.unmaps));
				g.append(svg("path", { class: "area maps", d: steps(view.maps, max, middle, top + 2) }),
					svg("path", { class: "area unmaps", d: steps(view.unmaps, max, middle, top + h - 2) }),
					line(middle, "base"),
					label(this, middle - 18, "maps ↑"), label(this, middle + 24, "unmaps ↓"),
					label(this, middle + 4, "to " + rate(perSecond(max)), "max"));
			},
		};
	}

	function areaLane(name, values, cls, top, h) {
		return {
			height: h,
			draw(g, y, height) {
				const max = highest(values);
				g.append(svg("path", { class: "area " + cls, d: steps(values, max, y + height - 2, y + 4) }),
					line(y + height - 2, "base"), label(this, y + height / 2 - 2, name),
					label(this, y + height / 2 + 12, max ? "to " + top(max) : "none here", "max"));
			},
		};
	}

	const SHAPES = {
		fault: "M-6 -5H6L0 6Z",
		hang: "M-5 -5H5V5H-5Z",
		reset: "M0 -7L7 0L0 7L-7 0Z",
		stall: "M-1 -6H2V6H-1Z",
		error: "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0Z",
	};
	const PLURAL = { fault: "faults ▼", hang: "hangs ■", reset: "resets ◆", error: "errors ✕", stall: "stalls ▬" };

	// Links, so that a click, a middle click and Enter do what they do elsewhere.
	const link = (number, cls, title, ...children) =>
		svg("a", { href: "#incident-" + number, class: cls, tabindex: "-1", "aria-label": title },
			svg("title", {}, title), ...children);

	function markLane(kind) {
		const mine = marks.filter(m => m.kind === kind);
		return {
			height: 20,
			mine,
			draw(g, y, h) {
				g.append(label(this, y + h / 2 + 4, PLURAL[kind]), line(y + h / 2, "rail"));
				for (const m of mine) {
					const end = m.end ?? m.ns; // a stall is a stretch, not a moment
					if (end < from || m.ns > to)
						continue;
					const title = `${kind}, incident ${m.incident}: ${m.text}, at ${seconds(m.ns, 1e3)}`;
					const left = Math.max(x(m.ns), LEFT), right = Math.min(x(end), width - RIGHT);
					g.append(link(m.incident, "mark " + kind, title,
						...(end > m.ns ? [svg("rect", { x: left, y: y + h / 2 - 2, width: Math.max(right - left, 1), height: 4 })] : []),
						svg("path", { d: SHAPES[kind], transform: `translate(${left.toFixed(1)} ${y + h / 2})` })));
				}
			},
		};
	}

	function incidentLane() {
		return {
			height: 24,
			draw(g, y, h) {
				g.append(label(this, y + h / 2 + 4, "incidents"));
				const inside = view.incidents.filter(i => i.begin <= to && i.end >= from);
				const places = inside.map(i => clamp(x(i.begin), LEFT, width - RIGHT));
				inside.forEach((i, n) => {
					// Where they crowd, a dot; zooming in brings the numbers back.
					const crowded = [n - 1, n + 1].some(k => Math.abs(places[k] - places[n]) < 18);
					g.append(link(i.number, "badge" + (i.number === selected ? " selected" : ""),
						`incident ${i.number}, from ${seconds(i.begin, 1e6)}`,
						svg("circle", { cx: places[n], cy: y + h / 2, r: crowded ? 4 : 9 }),
						...(crowded ? [] : [svg("text", { x: places[n], y: y + h / 2 + 4, "text-anchor": "middle" },
							String(i.number))])));
				});
			},
		};
	}

	// Cells of like shade are one path: a heat map is six elements, however many cells it has.
	function heatLane(map) {
		const scale = y => Array.from({ length: LEVELS }, (_, n) =>
			svg("rect", { class: "h" + (n + 1), x: width - RIGHT - 250 + n * 12, y, width: 12, height: 8 }));

		let low = Infinity, high = 0, max = 0;
		const columns = Array.from({ length: nr }, () => new Map());
		for (let i = 0; i < map.cells.length; i += 3) {
			const [b, row, count] = map.cells.slice(i, i + 3);
			columns[b].set(row, count);
			low = Math.min(low, row);
			high = Math.max(high, row);
			max = Math.max(max, count);
		}
		low = Math.max(low - 1, 0);
		high++;
		const rows = high - low + 1, edges = view.heat_edges;
		const level = count => 1 + Math.min(LEVELS - 1, Math.floor(Math.log(count) / Math.log(max + 1) * LEVELS));

		return {
			height: clamp(rows * 6, 72, 132) + TITLE,
			map,
			columns,
			rowHeight() { return (this.height - TITLE) / rows; },
			rowAt(y) { return clamp(high - Math.floor((y - this.y - TITLE) / this.rowHeight()), low, high); },
			yOf(row) { return this.y + TITLE + (high - row) * this.rowHeight(); }, // upper edge
			draw(g, top, whole) {
				const y = top + TITLE, h = whole - TITLE;
				const paths = Array(LEVELS + 1).fill("");
				g.append(svg("rect", { class: "ground", x: LEFT, y, width: width - LEFT - RIGHT, height: h }));
				for (let b = first(); b <= last(); b++) {
					const left = Math.max(x(b * view.width), LEFT);
					const right = Math.min(x(Math.min((b + 1) * view.width, WHOLE)), width - RIGHT);
					for (const [row, count] of columns[b])
						paths[level(count)] += `M${left.toFixed(1)} ${this.yOf(row).toFixed(1)}H${right.toFixed(1)}` +
							`v${(h / rows).toFixed(2)}H${left.toFixed(1)}Z`;
				}
				paths.forEach((d, n) => d && g.append(svg("path", { class: "heat h" + n, d })));
				for (let decade = 1; decade < 1e13; decade *= 10) {
					const row = edges.findIndex((edge, r) => edge <= decade && decade < (edges[r + 1] ?? 0));
					if (row < low || row > high)
						continue;
					const at = this.yOf(row) + h / rows * (1 - (decade - edges[row]) / (edges[row + 1] - edges[row]));
					if (at < y + 6 || at > y + h)
						continue;
					g.append(line(at, "grid"),
						svg("text", { class: "max", x: LEFT - 14, y: at + 4, "text-anchor": "end" },
							duration(decade).replace(/\.0+ /, " ")));
				}
				g.append(svg("text", { class: "label", x: LEFT, y: y - 5 }, map.name),
					svg("text", { class: "max", x: width - RIGHT, y: y - 5, "text-anchor": "end" },
						`${max} ${map.unit} in a cell at most`), ...scale(y - 13));
			},
		};
	}

	const kinds = ["fault", "hang", "reset", "error", "stall"];
	const sum = values => values.reduce((a, b) => a + b, 0);
	// A mark is one page of an incident; a storm shows in the numbers only.
	const storm = sum(view.faults) > marks.filter(m => m.kind === "fault").length;
	const all = [
		...(view.incidents.length ? [incidentLane()] : []),
		...kinds.filter(k => marks.some(m => m.kind === k)).map(markLane),
		...(storm ? [areaLane("all faults", view.faults, "faults", v => rate(perSecond(v)), 38)] : []),
		...(view.maps.some(Boolean) || view.unmaps.some(Boolean) ? [pairLane()] : []),
		...view.flushes.map(f =>
			areaLane("flush: " + f.name.replace("reason ", ""), f.values, "why" + f.why, v => rate(perSecond(v)), 38)),
		...(view.live_bytes.some(Boolean) ? [areaLane("mapped now", view.live_bytes, "live", bytes, 44)] : []),
		...view.heat.map(heatLane),
	];

	// --- drawing ---

	function ticks() {
		const raw = (to - from) / Math.max(2, (width - LEFT - RIGHT) / 110);
		const power = 10 ** Math.floor(Math.log10(raw));
		const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= raw);
		const list = [];
		for (let t = Math.ceil((from - view.zero) / step) * step + view.zero; t <= to; t += step)
			list.push(t);
		return [list, step];
	}

	function drawGaps(g, bottom) {
		for (const gap of view.gaps) {
			if (gap.end < from || gap.begin > to)
				continue;
			const left = clamp(x(gap.begin), LEFT, width - RIGHT), right = clamp(x(gap.end), LEFT, width - RIGHT);
			g.append(svg("rect", { class: "gap", x: left, y: 0, width: Math.max(right - left, 3), height: bottom },
				svg("title", {}, "events are missing: " + gap.text)));
		}
	}

	function drawBand(g, bottom) {
		const i = view.incidents.find(one => one.number === selected);
		if (!i || i.begin > to || i.end < from)
			return;
		const left = clamp(x(i.begin), LEFT, width - RIGHT), right = clamp(x(i.end), LEFT, width - RIGHT);
		g.append(svg("rect", { class: "band", x: left - 1, y: 0, width: Math.max(right - left, 1) + 2, height: bottom }));
	}

	function draw() {
		width = paper || Math.max(place.clientWidth, 480);
		lanes = all;
		const back = svg("g", {}), front = svg("g", {}), over = svg("g", {});
		let y = 0;
		for (const lane of lanes) {
			lane.y = y;
			lane.draw(front, y, lane.height);
			y += lane.height + 6;
		}
		const [list, step] = ticks();
		for (const t of list)
			back.append(svg("line", { class: "grid", x1: x(t), x2: x(t), y1: 0, y2: y }),
				svg("text", { class: "tick", x: x(t), y: y + 14, "text-anchor": "middle" }, seconds(t, step)));
		back.append(line(y, "base"));
		drawBand(back, y);
		drawGaps(over, y);
		height = y + 22;
		cursorLine = svg("line", { class: "cursor", y1: 0, y2: y, visibility: "hidden" });
		selection = svg("rect", { class: "selection", y: 0, height: y, visibility: "hidden" });
		root.setAttribute("viewBox", `0 0 ${width} ${height}`);
		root.replaceChildren(hatch(), back, front, over, selection, cursorLine);
		showCursor();
	}

	const hatch = () => svg("defs", {},
		svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
			svg("line", { class: "hatch", x1: 0, y1: 0, x2: 0, y2: 6 })));

	// --- reading values ---

	function read() {
		const b = cursor.bucket, begin = b * view.width, end = Math.min(begin + view.width, WHOLE);
		const rows = [["from", seconds(begin, Math.min(view.width, 1e6))], ["for", duration(end - begin)]];
		if (view.zero_real_ms !== null)
			rows.push(["clock", wallClock(begin)]);
		const count = (name, v, more) => rows.push([name, v + (more && v ? ` (${more})` : "")]);
		count("maps", view.maps[b], bytes(view.map_bytes[b]));
		if (view.map_failed[b])
			count("failed maps", view.map_failed[b]);
		count("unmaps", view.unmaps[b], bytes(view.unmap_bytes[b]));
		for (const f of view.flushes)
			count("flush: " + f.name, f.values[b]);
		rows.push(["mapped at its end", bytes(view.live_bytes[b])]);
		for (const kind of ["faults", "hangs", "resets", "errors"])
			if (view[kind][b])
				count(kind, view[kind][b]);
		if (cursor.lane) {
			const edges = view.heat_edges, row = cursor.row;
			rows.push([cursor.lane.map.name, `${duration(edges[row])} to ${duration(edges[row + 1])}: ` +
				`${cursor.lane.columns[b].get(row) || 0} ${cursor.lane.map.unit}`]);
		}
		if (cursor.mark)
			rows.push([`${cursor.mark.kind}, incident ${cursor.mark.incident}`,
				`${cursor.mark.text}, at ${seconds(cursor.mark.ns, 1e3)}`]);
		for (const gap of view.gaps.filter(g => g.begin < end && g.end >= begin).slice(0, 3))
			rows.push(["missing", gap.text]);
		return rows;
	}

	function showCursor() {
		cursorLine.setAttribute("visibility", cursor ? "visible" : "hidden");
		if (!cursor)
			return;
		const at = cursor.mark ? cursor.mark.ns : Math.min((cursor.bucket + 0.5) * view.width, WHOLE);
		cursorLine.setAttribute("x1", x(at));
		cursorLine.setAttribute("x2", x(at));
		if (at < from || at > to)
			cursorLine.setAttribute("visibility", "hidden");
		readout.replaceChildren(...read().map(([name, value]) =>
			html("div", {}, html("dt", {}, name), html("dd", {}, value))));
	}

	function setRange(a, b) {
		const least = Math.min(4 * view.width, WHOLE);
		const span = clamp(b - a, least, WHOLE);
		from = clamp((a + b - span) / 2, 0, WHOLE - span);
		to = from + span;
		zoomedOut.disabled = span >= WHOLE;
		draw();
	}

	function zoom(factor) {
		const at = cursor ? clamp((cursor.bucket + 0.5) * view.width, from, to) : (from + to) / 2;
		const span = (to - from) * factor, part = (at - from) / (to - from);
		setRange(at - span * part, at + span * (1 - part));
	}

	function goTo(b, mark) {
		cursor = { bucket: clamp(b, 0, nr - 1), mark };
		const t = mark ? mark.ns : (cursor.bucket + 0.5) * view.width, span = to - from;
		if (t < from || t > to)
			setRange(t - span / 2, t + span / 2);
		else
			showCursor();
	}

	function nextMark(step) {
		if (!marks.length)
			return;
		const now = cursor && cursor.mark ? marks.indexOf(cursor.mark) : step > 0 ? -1 : marks.length;
		const mark = marks[clamp(now + step, 0, marks.length - 1)];
		goTo(bucketAt(mark.ns), mark);
	}

	// --- keys and pointer ---

	function onKey(event) {
		const step = event.shiftKey ? 10 : 1, b = cursor ? cursor.bucket : first() - 1;
		const keys = {
			ArrowLeft: () => goTo(b - step), ArrowRight: () => goTo(b + step),
			Home: () => goTo(0), End: () => goTo(nr - 1),
			"+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => setRange(0, WHOLE),
			n: () => nextMark(1), p: () => nextMark(-1),
			Enter: () => { if (cursor && cursor.mark) location.hash = "#incident-" + cursor.mark.incident; },
		};
		if (event.ctrlKey || event.altKey || event.metaKey || !keys[event.key] || event.target !== root)
			return;
		event.preventDefault();
		keys[event.key]();
	}

	function position(event) {
		const box = root.getBoundingClientRect(), scale = width / box.width;
		return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
	}

	function onMove(event) {
		const [px, py] = position(event);
		if (drag !== null) {
			if (!root.hasPointerCapture(event.pointerId) && Math.abs(px - drag) > 4)
				root.setPointerCapture(event.pointerId);
			selection.setAttribute("visibility", Math.abs(px - drag) > 4 ? "visible" : "hidden");
			selection.setAttribute("x", clamp(Math.min(px, drag), LEFT, width - RIGHT));
			selection.setAttribute("width", Math.abs(clamp(px, LEFT, width - RIGHT) - drag));
		}
		if (px < LEFT || px > width - RIGHT)
			return;
		const lane = lanes.find(l => l.map && py >= l.y && py < l.y + l.height);
		cursor = { bucket: bucketAt(ns(px)), lane, row: lane && lane.rowAt(py) };
		showCursor();
	}

	function onUp(event) {
		const [px] = position(event), begin = drag;
		drag = null;
		selection.setAttribute("visibility", "hidden");
		if (begin !== null && Math.abs(px - begin) > 4)
			setRange(ns(Math.min(px, begin)), ns(Math.max(px, begin)));
	}

	const button = (text, title, act) => {
		const e = html("button", { type: "button", title, "aria-label": title }, text);
		e.addEventListener("click", act);
		return e;
	};
	const zoomedOut = button("Everything", "Show the whole time line", () => setRange(0, WHOLE));
	const readout = html("dl", { class: "readout", role: "status" },
		html("div", {}, html("dt", {}, "Point at the time line, or focus it and use the arrow keys, to read values.")));

	root = svg("svg", { tabindex: "0", role: "application",
		"aria-label": "Time line of maps, unmaps, flushes, faults, hangs and resets" });
	root.addEventListener("keydown", onKey);
	root.addEventListener("pointermove", onMove);
	root.addEventListener("pointerdown", event => {
		const [px] = position(event);
		if (event.button === 0 && px >= LEFT && !event.target.closest("a"))
			drag = px;
	});
	root.addEventListener("pointerup", onUp);
	root.addEventListener("dblclick", () => setRange(0, WHOLE));
	place.append(html("div", { class: "bar" },
		button("−", "Zoom out", () => zoom(2)), button("+", "Zoom in", () => zoom(0.5)), zoomedOut,
		...(view.gaps.length ? [html("span", { class: "legend" }, html("i", { class: "swatch" }), "hatched: events are missing")] : [])),
		root, readout);
	zoomedOut.disabled = true;
	draw();
	new ResizeObserver(() => { if (Math.max(place.clientWidth, 480) !== width) draw(); }).observe(place);

	return {
		select(number) {
			selected = number;
			draw();
		},
		print(on) {
			paper = on ? 800 : 0;
			draw();
		},
		zoomTo(number) {
			const i = view.incidents.find(one => one.number === number);
			const pad = Math.max((i.end - i.begin) * 0.15, 3 * view.width);
			setRange(i.begin - pad, i.end + pad);
		},
	};
})();
