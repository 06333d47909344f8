// The cursor and the ranges of each chart, by mouse, touch and key. No library, no request.
"use strict";

const RANGES = [["1M", "1 month", 1], ["3M", "3 months", 3], ["6M", "6 months", 6], ["1Y", "1 year", 12], ["All", "all", 0]];
const HINT = "Point at the chart, touch it, or press the arrow keys to read a day.";

// The first session after the day so many months before the last one.
function firstOf(ticker, months) {
  if (!months) return 0;
  const last = ticker.days[ticker.days.length - 1];
  const day = new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth() - months + 1, 0)).getUTCDate();
  const from = Date.UTC(last.getUTCFullYear(), last.getUTCMonth() - months, Math.min(last.getUTCDate(), day));
  return ticker.days.findIndex((date) => date > from);
}

// The ranges that show less than all, and all.
function rangesOf(ticker) {
  return RANGES.filter(([, , months]) => !months || firstOf(ticker, months) > 0);
}

function pastText(ticker, one) {
  const names = ["open", "high", "low", "close"].map((name, place) => `${name} ${fixed(one.prices[place], ticker.digits)}`);
  const of = one.sessions > 1 ? `, ${one.sessions} sessions to ${dayText(one.date)}` : `, ${dayText(one.date)}`;
  return { head: `${ticker.name}${of}`, parts: names };
}

function aheadText(ticker, place) {
  const price = (prices) => fixed(prices[place + 1], ticker.digits);
  const bands = [...ticker.bands].reverse().map((one) => `${one.share}% ${price(one.lower)}–${price(one.upper)}`);
  return { head: `${ticker.name}, forecast for ${dayText(ticker.ahead[place])}`, parts: [`median ${price(ticker.median)}`, ...bands] };
}

// All places that the cursor can take, from left to right.
function stops(plan) {
  const { ticker, bins } = plan;
  const past = bins.map((one, at) => ({ x: plan.x(at + 1 - bins.length), price: one.prices[3], says: pastText(ticker, one) }));
  const ahead = ticker.steps.map((step, at) => ({ x: plan.x(step), price: ticker.median[at + 1], says: aheadText(ticker, at) }));
  return [...past, ...ahead];
}

function words(stop) {
  return `${stop.says.head}: ${stop.says.parts.join(", ")}`;
}

function nearest(found, x) {
  return found.reduce((best, one, at) => (Math.abs(one.x - x) < Math.abs(found[best].x - x) ? at : best), 0);
}

function drawCursor(layer, plan, stop, pixel) {
  const y = Math.min(Math.max(pixel, plan.top), plan.base);
  const text = fixed(plan.price(y), plan.ticker.digits);
  const wide = LETTER * text.length + 8;
  layer.replaceChildren();
  svg(layer, "path", { class: "cross", d: `M${stop.x} ${plan.top}V${plan.base}M${plan.left} ${y}H${plan.right}` });
  svg(layer, "circle", { class: "spot", cx: stop.x, cy: plan.y(stop.price), r: 3.5 });
  svg(layer, "rect", { class: "tag", x: Math.max(0, plan.left - wide), y: y - 9, width: wide, height: 18, rx: 3 });
  svg(layer, "text", { class: "tagged", x: Math.max(0, plan.left - wide) + wide - 4, y: y + 4, "text-anchor": "end" }, text);
}

function make(parent, tag, attributes, text) {
  const made = parent.appendChild(document.createElement(tag));
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text) made.textContent = text;
  return made;
}

function start(holder, packed) {
  const ticker = unpack(packed);
  const ranges = rangesOf(ticker);
  holder.replaceChildren();
  const bar = make(holder, "div", { class: "bar" });
  const group = make(bar, "div", { class: "ranges", role: "group", "aria-label": `${ticker.name}: how much of the past` });
  const says = make(bar, "p", { class: "says" });
  const chart = make(holder, "div", { class: "stage", role: "slider", tabindex: "0", "aria-label": `${ticker.name}: day under the cursor` });
  let chosen; // a range, once one was asked for
  let plan;
  let layer;
  let found;
  let at = null;

  const write = (stop) => {
    says.replaceChildren(stop ? "" : HINT);
    says.classList.toggle("quiet", !stop);
    if (!stop) return;
    make(says, "strong", {}, stop.says.head);
    const last = stop.says.parts.length - 1;
    stop.says.parts.forEach((part, place) => make(says, "span", {}, place < last ? `${part} ·` : part).after(" "));
  };
  const tell = (place) => {
    const value = { "aria-valuemin": 0, "aria-valuemax": found.length - 1, "aria-valuenow": place, "aria-valuetext": words(found[place]) };
    Object.entries(value).forEach(([key, one]) => chart.setAttribute(key, one));
  };
  const leave = () => {
    at = null;
    layer.replaceChildren();
    write(null);
  };
  const go = (place, pixel) => {
    at = Math.min(Math.max(place, 0), found.length - 1);
    drawCursor(layer, plan, found[at], pixel === undefined ? plan.y(found[at].price) : pixel);
    write(found[at]);
    tell(at);
  };
  const show = () => {
    const width = Math.max(holder.clientWidth, 240);
    const standard = ranges.find(([name]) => name === (width < NARROW ? "1M" : "3M")) || ranges[ranges.length - 1];
    const range = chosen || standard;
    [...group.children].forEach((one) => one.setAttribute("aria-pressed", one.textContent === range[0]));
    plan = layout(ticker, firstOf(ticker, range[2]), width);
    layer = drawChart(chart, plan);
    found = stops(plan);
    tell(plan.bins.length - 1);
    leave();
  };

  if (ranges.length === 1) group.remove();
  for (const range of ranges.length > 1 ? ranges : []) {
    const button = make(group, "button", { type: "button", title: range[1] }, range[0]);
    button.addEventListener("click", () => {
      chosen = range;
      show();
    });
  }
  const point = (event) => {
    const box = chart.getBoundingClientRect();
    const scale = plan.width / box.width; // a page that is zoomed or printed
    go(nearest(found, (event.clientX - box.left) * scale), (event.clientY - box.top) * scale);
  };
  chart.addEventListener("pointermove", point);
  chart.addEventListener("pointerdown", point);
  chart.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
  chart.addEventListener("blur", leave);
  chart.addEventListener("focus", () => chart.matches(":focus-visible") && at === null && go(plan.bins.length - 1));
  chart.addEventListener("keydown", (event) => {
    const now = at === null ? plan.bins.length - 1 : at;
    const moves = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: found.length - 1 };
    if (event.key === "Escape") leave();
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(moves[event.key]);
  });
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    show();
  }).observe(holder);
  show();
}

document.querySelectorAll("[data-plot]").forEach((holder) => start(holder, DATA.tickers[holder.dataset.plot]));
