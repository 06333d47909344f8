// The forecast explorer: a ticker, an origin, and the forecast and the actual candles. No library, no request.
"use strict";

const DATA = JSON.parse(document.getElementById("explorer-data").textContent);
const element = (id) => document.getElementById(id);

function numbers(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Int16Array(bytes.buffer);
}

// One ticker unpacked: dates, candles as prices, and for each origin and step the forecast prices.
function unpack(packed) {
  const start = Date.parse(packed.first);
  const days = numbers(packed.days);
  const logs = numbers(packed.candles);
  const price = (place) => packed.base * Math.exp(logs[place] * packed.unit);
  const candles = Array.from(days, (_, row) => [0, 1, 2, 3].map((column) => price(4 * row + column)));
  const values = numbers(packed.values);
  const origins = Array.from(numbers(packed.origins));
  const width = values.length / origins.length / DATA.steps.length;
  const forecast = (origin, step) => {
    const place = (origin * DATA.steps.length + step) * width;
    const close = candles[origins[origin]][3];
    return Array.from(values.subarray(place, place + width), (value) => close * Math.exp(value * packed.step));
  };
  const dates = Array.from(days, (day) => new Date(start + day * 864e5).toISOString().slice(0, 10));
  return { name: packed.name, currency: packed.currency, dates, candles, origins, forecast };
}

// Five digits count; above ten, cents are the least that is shown: as the terminal does it.
function written(price) {
  const digits = price >= 10 ? 2 : 4 - Math.floor(Math.log10(price));
  return price.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function view(ticker, origin) {
  const row = ticker.origins[origin];
  const steps = DATA.steps.map((step, place) => {
    const values = ticker.forecast(origin, place);
    return { step, date: ticker.dates[row + step], values, came: ticker.candles[row + step] };
  });
  return { ticker, row, steps, close: ticker.candles[row][3], bands: DATA.bands };
}

function within(step, low, high) {
  const close = step.came[3];
  return step.values[low] <= close && close <= step.values[high];
}

function sentence(shown) {
  const known = shown.steps.filter((step) => step.came);
  const closes = known.length === 1 ? "1 close" : `${known.length} closes`;
  const head = `${shown.ticker.name}, forecast after the close of ${shown.ticker.dates[shown.row]} ` +
    `(${written(shown.close)} ${shown.ticker.currency}): `;
  if (!shown.bands) {
    const miss = known.map((step) => Math.abs(Math.log(step.values[3] / step.came[3])));
    const mean = miss.reduce((sum, one) => sum + one, 0) / miss.length;
    return `${head}the median close missed ${closes} by ${(100 * mean).toFixed(2)}% on average.`;
  }
  const outer = known.filter((step) => within(step, 6, 7)).length;
  const inner = known.filter((step) => within(step, 4, 5)).length;
  return `${head}of ${closes}, ${outer} fell into the 80% band and ${inner} into the 50% band.`;
}

const COLUMNS = ["open", "high", "low", "close"];

// `head` names the column where the table is stacked; without one the cell says what its row is.
function cell(row, text, head, wide) {
  const made = row.appendChild(document.createElement("td"));
  made.textContent = text;
  made.setAttribute("role", "cell");
  if (head) made.dataset.head = head;
  if (wide) made.className = "wide";
  return made;
}

function dayCell(row, text) {
  const made = row.appendChild(document.createElement("th"));
  made.textContent = text;
  made.setAttribute("role", "rowheader");
  made.scope = "rowgroup";
  made.rowSpan = 2;
}

function newRow(body, kind) {
  const made = body.insertRow();
  made.className = kind;
  made.setAttribute("role", "row");
  cell(made, kind, "", true);
  return made;
}

function fill(body, shown) {
  body.replaceChildren();
  for (const step of shown.steps) {
    const forecast = newRow(body, "forecast");
    dayCell(forecast, step.date || `${step.step} ahead`);
    forecast.prepend(forecast.lastChild);
    const came = newRow(body, "came");
    COLUMNS.forEach((name, place) => {
      cell(forecast, written(step.values[place]), name);
      cell(came, step.came ? written(step.came[place]) : "not yet", name);
    });
    if (shown.bands) {
      cell(forecast, `${written(step.values[6])} – ${written(step.values[7])}`, "80% of closes", true);
      cell(came, step.came ? (within(step, 6, 7) ? "inside" : "outside") : "", "80% of closes", true);
    }
  }
}

function start() {
  const choice = element("explorer-ticker");
  const slider = element("explorer-origin");
  DATA.tickers.forEach((ticker, place) => choice.add(new Option(ticker.name, place)));
  let ticker;
  const show = () => {
    const shown = view(ticker, Number(slider.value));
    const date = ticker.dates[shown.row];
    element("explorer-date").textContent = date;
    slider.setAttribute("aria-valuetext", date);
    element("explorer-older").disabled = slider.value === slider.min;
    element("explorer-newer").disabled = slider.value === slider.max;
    element("explorer-says").textContent = sentence(shown);
    draw(element("explorer-chart"), shown, sentence(shown));
    fill(element("explorer-numbers"), shown);
  };
  const pick = () => {
    ticker = unpack(DATA.tickers[choice.value]);
    slider.max = ticker.origins.length - 1;
    const whole = ticker.origins.filter((row) => row + DATA.steps[DATA.steps.length - 1] < ticker.candles.length);
    slider.value = Math.max(whole.length - 1, 0);
    show();
  };
  const move = (by) => {
    slider.value = Number(slider.value) + by;
    show();
  };
  choice.addEventListener("change", pick);
  slider.addEventListener("input", show);
  element("explorer-older").addEventListener("click", () => move(-1));
  element("explorer-newer").addEventListener("click", () => move(1));
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    show();
  }).observe(element("explorer-chart"));
  pick();
  element("explorer-tool").hidden = false;
}

start();
