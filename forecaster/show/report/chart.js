// The explorer's chart: candles before the origin, the forecast's bands, and the actual candles.
"use strict";

const HEIGHT = 300;
const EDGE = { top: 10, right: 10, bottom: 26, left: 52 };

function svg(parent, name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
}

// Round prices between the lowest and the highest, about six.
function ticks(low, high) {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].find((factor) => factor * power >= 0.75 * rough) * power;
  const first = Math.ceil(low / size);
  return Array.from({ length: Math.floor(high / size) - first + 1 }, (_, place) => (first + place) * size);
}

function candle(parent, x, half, prices, y, kind) {
  const [open, high, low, close] = prices.map(y);
  const group = svg(parent, "g", { class: `${kind} ${prices[3] >= prices[0] ? "up" : "down"}` });
  svg(group, "path", { d: `M${x} ${high}V${Math.min(open, close)}M${x} ${Math.max(open, close)}V${low}` });
  const top = Math.min(open, close);
  svg(group, "rect", { x: x - half, y: top, width: 2 * half, height: Math.max(Math.abs(open - close), 1) });
}

function draw(holder, shown, label) {
  const width = Math.max(holder.clientWidth, 280);
  const ahead = shown.steps[shown.steps.length - 1].step;
  const room = Math.floor((width - EDGE.left - EDGE.right) / 6) - ahead - 1;
  const most = width < 600 ? Math.max(10, 3 * ahead) : 30; // on a phone the forecast needs the room
  const before = Math.max(8, Math.min(30, most, room));
  const from = Math.max(shown.row - before, 0);
  const until = Math.min(shown.row + ahead, shown.ticker.candles.length - 1);
  const candles = shown.ticker.candles.slice(from, until + 1);
  const prices = candles.concat(shown.steps.map((step) => step.values)).flat();
  const low = Math.min(...prices);
  const high = Math.max(...prices);
  const pad = 0.04 * (high - low || high);
  const slot = (width - EDGE.left - EDGE.right) / (shown.row - from + ahead + 1);
  const x = (row) => EDGE.left + (row - from + 0.5) * slot;
  const y = (price) =>
    EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * ((high + pad - price) / (high - low + 2 * pad));

  holder.replaceChildren();
  const chart = svg(holder, "svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
  axes(chart, shown, width, from, x, y, ticks(low - pad, high + pad));
  if (shown.bands) bands(chart, shown, x, y);
  const half = Math.max(1, Math.min(5, slot * 0.3));
  candles.forEach((one, place) => candle(chart, x(from + place), half, one, y, from + place > shown.row ? "came" : "known"));
  const path = shown.steps.map((step) => `L${x(shown.row + step.step)} ${y(step.values[3])}`).join("");
  svg(chart, "path", { class: "median", d: `M${x(shown.row)} ${y(shown.close)}${path}` });
  shown.steps.forEach((step) => svg(chart, "circle", { class: "median-dot", cx: x(shown.row + step.step), cy: y(step.values[3]), r: 2.5 }));
}

function axes(chart, shown, width, from, x, y, levels) {
  const whole = levels.every(Number.isInteger);
  for (const level of levels) {
    svg(chart, "path", { class: "grid", d: `M${EDGE.left} ${y(level)}H${width - EDGE.right}` });
    svg(chart, "text", { x: EDGE.left - 6, y: y(level) + 4, class: "tick end" }, whole ? level.toLocaleString("en") : written(level));
  }
  const origin = x(shown.row);
  svg(chart, "path", { class: "origin", d: `M${origin} ${EDGE.top}V${HEIGHT - EDGE.bottom}` });
  const dates = shown.ticker.dates;
  svg(chart, "text", { x: origin, y: HEIGHT - 8, class: "tick middle" }, dates[shown.row]);
  if (origin - x(from) > 120) svg(chart, "text", { x: x(from), y: HEIGHT - 8, class: "tick" }, dates[from]);
  const last = shown.row + shown.steps[shown.steps.length - 1].step;
  if (dates[last] && x(last) - origin > 105) {
    svg(chart, "text", { x: width - EDGE.right, y: HEIGHT - 8, class: "tick end" }, dates[last]);
  }
}

function bands(chart, shown, x, y) {
  const at = (step, place) => `${x(shown.row + step.step)} ${y(step.values[place])}`;
  const start = `${x(shown.row)} ${y(shown.close)}`;
  const back = [...shown.steps].reverse();
  for (const [low, high, name] of [[6, 7, "outer"], [4, 5, "inner"]]) {
    const upper = shown.steps.map((step) => `L${at(step, high)}`).join("");
    const lower = back.map((step) => `L${at(step, low)}`).join("");
    svg(chart, "path", { class: `band ${name}`, d: `M${start}${upper}${lower}Z` });
  }
  for (const place of [8, 9]) {
    svg(chart, "path", { class: "range", d: `M${start}${shown.steps.map((step) => `L${at(step, place)}`).join("")}` });
  }
}
