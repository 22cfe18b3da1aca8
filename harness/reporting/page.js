// What a report does in the browser. It loads nothing, and text from files enters the page as text only.
"use strict";

function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// A number as it is worded in a table, such as "1,234", "+4.6", "<0.01%" or "81.24%"; no number comes last.
function asNumber(text) {
  const number = parseFloat(text.replace(/[,%<>+\s]/g, "").replace("−", "-"));
  return Number.isNaN(number) ? null : number;
}

function compareCells(one, other, isNumber) {
  if (!isNumber) return one.localeCompare(other, undefined, { numeric: true, sensitivity: "base" });
  const [first, second] = [asNumber(one), asNumber(other)];
  return first - second;
}

function sortRows(table, column, ascending) {
  const body = table.tBodies[0];
  const isNumber = table.tHead.rows[0].cells[column].classList.contains("number");
  const cell = (row) => row.cells[column].textContent.trim();
  const isEmpty = (row) => (isNumber ? asNumber(cell(row)) === null : cell(row) === "");
  const rows = [...body.rows];
  const full = rows.filter((row) => !isEmpty(row));
  full.sort((one, other) => compareCells(cell(one), cell(other), isNumber) * (ascending ? 1 : -1));
  body.append(...full, ...rows.filter(isEmpty));
  for (const row of rows) row.classList.remove("group");
}

function makeSortable(table) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = element("button", header.textContent, { type: "button" });
    header.replaceChildren(button);
    button.addEventListener("click", () => {
      // Of numbers, people look for the largest first.
      const before = header.getAttribute("aria-sort");
      const ascending = before === null ? !header.classList.contains("number") : before === "descending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortRows(table, column, ascending);
    });
  });
}

function makeFilterable(box, table) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 12) return;
  const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent.toLowerCase()).join(" "));
  const line = element("label", "Filter ", { class: "filter" });
  const input = element("input", "", { type: "search", "aria-label": `Filter ${box.getAttribute("aria-label")}` });
  const count = element("span", "", { class: "more", "aria-live": "polite" });
  line.append(input, count);
  box.before(line);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row, at) => { row.hidden = !words.every((word) => texts[at].includes(word)); });
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
}

function makeTheme(button) {
  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  const word = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  // A browser may refuse to store anything for a file.
  try { if (localStorage.theme) root.dataset.theme = localStorage.theme; } catch { /* not remembered */ }
  button.hidden = false;
  word();
  systemDark.addEventListener("change", word);
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.theme = root.dataset.theme; } catch { /* not remembered */ }
    word();
  });
}

// The answers about a title: a row per system, a column per target, wrong labels marked where the right ones are known.
function answerTable(data, row) {
  const { targets, classes, systems, texts } = data;
  const table = element("table");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  for (const name of ["system", ...targets, "confidence", "keyword or word"]) head.append(element("th", name, { scope: "col" }));
  const labels = targets.map((_, at) => data.labels[row * targets.length + at]);
  const line = (cells) => body.insertRow().append(...cells);
  const worded = (at, code) => (code < 0 ? "–" : classes[at][code]);
  line([element("td", `label (${data.reference})`), ...labels.map((code, at) => element("td", worded(at, code))),
    element("td"), element("td")]);
  for (const system of systems) {
    const codes = targets.map((_, at) => system.answers[row * targets.length + at]);
    const cells = codes.map((code, at) => element("td", worded(at, code),
      labels[at] < 0 ? {} : { class: code === labels[at] ? "right" : "wrong" }));
    cells.forEach((cell) => { if (cell.className === "wrong") cell.textContent += " ✗"; });
    const hits = !system.reasons ? [] : targets.map((name, at) => [name, system.reasons[row * targets.length + at]]);
    const fired = hits.filter(([, text]) => text >= 0).map(([name, text]) => `${name}: ${texts[text]}`);
    line([element("td", system.name), ...cells, element("td", `${system.confidence[row]}%`, { class: "number" }),
      element("td", fired.join("; "), { class: "text" })]);
  }
  return table;
}

function makeLookup(data) {
  const [input, found, answer] = ["title", "found", "answer"].map((name) => document.getElementById(`lookup-${name}`));
  const lowered = data.titles.map((title) => title.toLowerCase());
  document.getElementById("lookup-note").textContent = data.note;
  const show = (row) => {
    const records = data.records[row].toLocaleString("en");
    const box = element("div", "", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Answers" });
    box.append(answerTable(data, row));
    answer.replaceChildren(element("p", `${data.titles[row]} (${records} records)`), box);
  };
  input.addEventListener("input", () => {
    const typed = input.value.trim().toLowerCase();
    const exact = lowered.indexOf(typed);
    const rows = exact < 0 ? [] : [exact];
    for (let row = 0; typed && row < lowered.length && rows.length < 6; row++) {
      if (row !== exact && lowered[row].includes(typed)) rows.push(row);
    }
    found.replaceChildren(...rows.map((row) => {
      const item = element("li");
      const button = element("button", data.titles[row], { type: "button" });
      button.addEventListener("click", () => show(row));
      item.append(button);
      return item;
    }));
    if (rows.length) show(rows[0]);
    else answer.replaceChildren(element("p", typed ? "No title of the test set contains this." : ""));
  });
}

function start() {
  for (const box of document.querySelectorAll("main .scroll")) {
    const table = box.querySelector("table");
    makeSortable(table);
    makeFilterable(box, table);
  }
  // The words of a mark are for screen readers; as its title, everybody sees them by pointing at it.
  for (const mark of document.querySelectorAll("svg [role='graphics-symbol'][aria-roledescription]:not(g)")) {
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = mark.getAttribute("aria-label");
    mark.prepend(title);
  }
  makeTheme(document.getElementById("theme"));
  const contents = document.querySelector("nav details");
  contents.open = matchMedia("(min-width: 75rem)").matches;
  const data = document.getElementById("lookup-data");
  if (data) makeLookup(JSON.parse(data.textContent));
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      closed.push(details);
      details.open = true;
    }
  });
  addEventListener("afterprint", () => { while (closed.length) closed.pop().open = false; });
}

start();
