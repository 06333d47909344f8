// The chart of a forecast: candles of the past in three quarters of the width, the forecast in one.
// A script of ours, as lightweight-charts would add 198 kB to each page and a style element that the page's policy
// refuses, and draws on a canvas: without bands, without text for screen readers, and nothing that print could recolour.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const MONTHS = "January February March April May June July August September October November December".split(" ");
const SLOT = 3; // pixels; where sessions are narrower, several share a candle
const WIDEST = 32; // pixels of a past session: a short history stands beside its forecast
const SPANS = [1, 5, 21, 63, 126, 252, 504, 1260]; // sessions a candle
const NARROW = 600; // pixels of a chart for phones
const LETTER = 7.2;

function numbers(text, Kind) {
  return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

function unpack(packed) {
  const values = numbers(packed.candles, Float32Array);
  const start = Date.parse(packed.first);
  const dates = Array.from(numbers(packed.days, Int32Array), (day) => new Date(start + day * 864e5));
  const candles = dates.map((_, row) => Array.from(values.subarray(4 * row, 4 * row + 4)));
  return { ...packed, days: dates, candles, ahead: packed.dates.map((date) => new Date(date)) };
}

function dayText(date) {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

function fixed(price, digits) {
  return price.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function svg(parent, name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
}

// Round prices between the lowest and the highest, about so many, and their texts with the digits that tell them apart.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(size) + 1e-9));
  const first = Math.ceil(low / size - 1e-9);
  const count = Math.floor(high / size + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, place) => [(first + place) * size, fixed((first + place) * size, digits)]);
}

// The sessions from `first` on, so many to a candle, counted back from the last one.
function grouped(ticker, first, span) {
  const found = [];
  for (let end = ticker.candles.length; end > first; end -= span) {
    const from = Math.max(end - span, first);
    const part = ticker.candles.slice(from, end);
    const [highs, lows] = [1, 2].map((place) => part.map((one) => one[place]));
    const prices = [part[0][0], Math.max(...highs), Math.min(...lows), part[part.length - 1][3]];
    found.unshift({ date: ticker.days[end - 1], prices, sessions: part.length });
  }
  return found;
}

function spanFor(sessions, pixels) {
  return SPANS.find((span) => pixels / Math.ceil(sessions / span) >= SLOT) || SPANS[SPANS.length - 1];
}

// What is drawn, and where: everything that drawing and the cursor need to know.
function layout(ticker, first, width) {
  const narrow = width < NARROW;
  const height = narrow ? 320 : 440;
  const lines = [...ticker.bands, ...(ticker.reach ? [ticker.reach] : [])].flatMap((one) => [...one.lower, ...one.upper]);
  const seen = ticker.candles.slice(first);
  const prices = [...lines, ...ticker.paths.flat(), ...ticker.point.flat()];
  const low = seen.reduce((least, one) => Math.min(least, one[2]), Math.min(...prices));
  const high = seen.reduce((most, one) => Math.max(most, one[1]), Math.max(...prices));
  const air = high - low > 1e-5 * high ? 0.04 * (high - low) : 0.01 * high; // candles have seven digits
  const bottom = Math.max(low - air, low / 2); // prices are above 0, and so is the axis
  const levels = ticks(bottom, high + air, narrow ? 5 : 7);
  const main = ticker.main === null ? null : ticker.bands[ticker.main];
  const last = [ticker.median, ...(main ? [main.upper, main.lower] : [])].map((one) => one[one.length - 1]);
  const longest = (texts) => LETTER * Math.max(0, ...texts.map((text) => text.length));
  const left = 12 + longest(levels.map(([, text]) => text));
  const right = width - 10 - 1.08 * longest(last.map((price) => fixed(price, ticker.digits)));
  const top = 24;
  const base = height - 44;
  const border = right - DATA.ahead * (right - left);
  const span = spanFor(seen.length, border - left);
  const bins = grouped(ticker, first, span);
  const slots = [Math.min(WIDEST, (border - left) / bins.length), (right - border) / ticker.steps[ticker.steps.length - 1]];
  // Past candles count down from 0 at the origin's; ahead, x is the step.
  const x = (place) => border + (place - 0.5) * slots[place < 0.5 ? 0 : 1];
  const y = (price) => top + ((base - top) * (high + air - price)) / (high + air - bottom);
  const price = (pixel) => high + air - ((pixel - top) * (high + air - bottom)) / (base - top);
  return { ticker, narrow, width, height, left, right, top, base, border, span, bins, slots, levels, last, x, y, price };
}

function candle(parent, plan, place, prices, kind) {
  const [open, high, low, close] = prices.map(plan.y);
  const half = Math.min(7, Math.max(0.31 * plan.slots[place < 0.5 ? 0 : 1], 0.6));
  const [top, bottom] = [Math.min(open, close), Math.max(open, close)];
  const x = plan.x(place);
  const body = `M${x - half} ${top}H${x + half}V${bottom}H${x - half}Z`;
  const fell = prices[3] < prices[0] ? " fell" : "";
  svg(parent, "path", { class: `candle${kind}${fell}`, d: `M${x} ${high}V${top}M${x} ${bottom}V${low}${body}` });
}

const path = (points) => points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// Bands end half a session after the last step, to hold its whole candle.
function points(plan, prices) {
  const places = [0, ...plan.ticker.steps, plan.ticker.steps[plan.ticker.steps.length - 1] + 0.5];
  return places.map((place, at) => [plan.x(place), plan.y(prices[Math.min(at, prices.length - 1)])]);
}

function drawAhead(chart, plan) {
  const { ticker } = plan;
  for (const band of ticker.bands) {
    const back = points(plan, band.lower).reverse();
    svg(chart, "path", { class: "band", d: `${path([...points(plan, band.upper), ...back])}Z` });
  }
  for (const side of ticker.reach ? ["lower", "upper"] : []) {
    svg(chart, "path", { class: "reach", d: path(points(plan, ticker.reach[side])) });
  }
  for (const one of ticker.paths) {
    svg(chart, "path", { class: "path", d: path(one.map((price, step) => [plan.x(step), plan.y(price)])) });
  }
  svg(chart, "path", { class: "median", d: path(points(plan, ticker.median)) });
  ticker.steps.forEach((step, place) => candle(chart, plan, step, ticker.point[place], " ahead"));
}

// Where months or years begin, as [x, text]: as many as have room.
function dateMarks(plan) {
  const found = [];
  const long = plan.bins.length > 1 && plan.bins[plan.bins.length - 1].date - plan.bins[0].date > 500 * 864e5;
  const unit = (date) => (long ? date.getUTCFullYear() : 12 * date.getUTCFullYear() + date.getUTCMonth());
  const cells = plan.bins.map((one, at) => [at + 1 - plan.bins.length, one.date]);
  if (!long) cells.push(...plan.ticker.steps.map((step, at) => [step, plan.ticker.ahead[at]]));
  for (let at = 1; at < cells.length; at += 1) {
    const [[before, earlier], [place, date]] = [cells[at - 1], cells[at]];
    if (unit(date) === unit(earlier) || place - before > 1) continue;
    const year = long || !found.length || date.getUTCMonth() === 0;
    const month = long ? "" : MONTHS[date.getUTCMonth()].slice(0, 3);
    found.push([plan.x(place - 0.5), [month, year ? date.getUTCFullYear() : ""].join(" ").trim()]);
  }
  return found;
}

function drawAxes(chart, plan) {
  for (const [level, text] of plan.levels) {
    svg(chart, "path", { class: "grid", d: `M${plan.left} ${plan.y(level)}H${plan.right}` });
    if (plan.y(level) > plan.top + 5) {
      svg(chart, "text", { class: "muted", x: plan.left - 6, y: plan.y(level) + 4, "text-anchor": "end" }, text);
    }
  }
  const shared = plan.span > 1 ? ` · ${plan.span} sessions a candle` : "";
  svg(chart, "text", { class: "muted", x: 0, y: plan.top - 8 }, plan.ticker.currency + shared);
  let room = plan.left;
  for (const [x, text] of dateMarks(plan)) {
    if (x < room || x + LETTER * text.length > plan.width) continue;
    svg(chart, "path", { class: "grid", d: `M${x} ${plan.top}V${plan.base}` });
    svg(chart, "text", { class: "muted", x: x + 2, y: plan.base + 16 }, text);
    room = x + LETTER * (text.length + 2);
  }
}

// The line after the last close, its date left of it, and the last day of the forecast right of it.
function drawDays(chart, plan) {
  const y = plan.base + 35;
  const [until, last] = [plan.ticker.dates[plan.ticker.dates.length - 1], plan.bins[plan.bins.length - 1].date];
  svg(chart, "path", { class: "origin", d: `M${plan.border} ${plan.top - 8}V${plan.base}` });
  const origin = `last close ${last.toISOString().slice(0, 10)}`;
  svg(chart, "text", { x: plan.border - 5, y, "text-anchor": "end" }, origin);
  svg(chart, "text", { x: Math.max(plan.right, plan.border + 5 + 10 * LETTER), y, "text-anchor": "end" }, until);
}

// The last day's median and band, moved apart where they would touch.
function drawFigures(chart, plan) {
  const middle = plan.y(plan.last[0]);
  plan.last.forEach((price, place) => {
    const y = [middle, Math.min(plan.y(price), middle - 13), Math.max(plan.y(price), middle + 13)][place];
    svg(chart, "text", { class: "value", x: plan.right + 6, y: y + 4 }, fixed(price, plan.ticker.digits));
  });
}

function drawChart(holder, plan) {
  const { width, height } = plan;
  const chart = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  Object.entries({ class: "chart", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" })
    .forEach(([key, value]) => chart.setAttribute(key, value));
  drawAxes(chart, plan);
  drawAhead(chart, plan);
  plan.bins.forEach((one, at) => candle(chart, plan, at + 1 - plan.bins.length, one.prices, ""));
  drawDays(chart, plan);
  drawFigures(chart, plan);
  holder.replaceChildren(chart);
  return svg(chart, "g", { class: "cursor" });
}
