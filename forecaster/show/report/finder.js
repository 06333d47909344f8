// The table of tickers: its rows by any column, and those alone whose ticker holds what is typed.
"use strict";

const LONG = 12; // rows above which there is something to find

// What a cell is sorted by: its number where it is one, else its text; "–" comes last.
function key(row, place) {
  const text = row.cells[place].textContent;
  const number = Number(text.replace(/[,%+]/g, ""));
  return text === "–" ? -Infinity : place && Number.isFinite(number) ? number : text;
}

function sortBy(table, place, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map((row) => [key(row, place), row]);
  rows.sort(([one], [other]) => sign * (one < other ? -1 : one > other ? 1 : 0));
  table.tBodies[0].append(...rows.map(([, row]) => row));
  [...table.tHead.rows[0].cells].forEach((head) => head.removeAttribute("aria-sort"));
  table.tHead.rows[0].cells[place].setAttribute("aria-sort", direction);
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = place ? "descending" : "ascending"; // names from A, figures from the largest
      const turned = now === "ascending" ? "descending" : "ascending";
      sortBy(table, place, now ? turned : first);
    });
    head.replaceChildren(button);
  });
  table.tHead.rows[0].cells[table.dataset.sort].setAttribute("aria-sort", "descending");
}

function makeFinder(table) {
  const rows = [...table.tBodies[0].rows];
  const words = document.getElementById("finder-words");
  words.addEventListener("input", () => {
    const wanted = words.value.trim().toUpperCase();
    rows.forEach((row) => { row.hidden = !row.cells[0].textContent.toUpperCase().includes(wanted); });
    const left = rows.filter((row) => !row.hidden).length;
    document.getElementById("finder-says").textContent = wanted ? `${left} of ${rows.length}` : "";
  });
  document.getElementById("finder").hidden = rows.length <= LONG;
}

document.querySelectorAll("table[data-sort]").forEach((table) => {
  makeSortable(table);
  makeFinder(table);
});
