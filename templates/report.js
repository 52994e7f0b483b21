"use strict";

// What a reader can do on the page beyond reading it. Everything is there to read without this script,
// and it asks for nothing from anywhere.

// --- helpers ------------------------------------------------------------------------------------------

/** Make an element with attributes and children; an attribute that is true stands alone, false is left out. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Make a button that does something when it is pressed. */
function button(text, attributes, action) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

// --- words --------------------------------------------------------------------------------------------

const LANGUAGE = document.documentElement.lang || "en";
const WORDS = JSON.parse(document.getElementById("words")?.textContent ?? "{}"); // none for English
const DECIMAL = new Intl.NumberFormat(LANGUAGE).formatToParts(1.5).find((part) => part.type === "decimal").value;

/** Say a message in the page's language, with values in the places that it names. */
function tr(message, values = {}) {
  return (WORDS[message] ?? message).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

// --- light and dark -----------------------------------------------------------------------------------

const THEMES = { auto: tr("auto"), light: tr("light"), dark: tr("dark") };
const MEMORY = "reportgen-theme";

/** Give the theme that was chosen before; some browsers keep nothing for a file. */
function remembered() {
  try {
    const theme = localStorage.getItem(MEMORY);
    return theme in THEMES ? theme : "auto";
  } catch {
    return "auto";
  }
}

function remember(theme) {
  try {
    localStorage.setItem(MEMORY, theme);
  } catch {
    // It holds for this visit, then.
  }
}

function show(theme) {
  document.documentElement.dataset.theme = theme;
}

/** Put the choice of a theme into the header. */
function addThemes(header) {
  const names = Object.keys(THEMES);
  const buttons = names.map((theme) =>
    button(THEMES[theme], { "aria-pressed": String(theme === remembered()) }, () => {
      remember(theme);
      show(theme);
      buttons.forEach((one, n) => one.setAttribute("aria-pressed", String(names[n] === theme)));
    }),
  );
  header.prepend(make("div", { class: "themes", role: "group", "aria-label": tr("Colours") }, ...buttons));
}

// --- tables that sort ---------------------------------------------------------------------------------

const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?=$|[\s(%])/i;
const MISSING = /^(?:[–—-]|nan)?$/i;
const ORDERS = { none: "ascending", ascending: "descending", descending: "none" };
const words = new Intl.Collator(LANGUAGE, { numeric: true, sensitivity: "base" });

/** Give a row's cell in a column; one that stands for several columns is in none of them. */
function cellAt(row, column) {
  let at = 0;
  for (const cell of row.cells) {
    if (at === column) return cell.colSpan === 1 ? cell : null;
    at += cell.colSpan;
  }
  return null;
}

/** Give what a cell is sorted by: a number where it begins with one, else its words; null where it is empty. */
function valueOf(cell) {
  const text = (cell?.dataset.value ?? cell?.textContent ?? "").trim().replace(/\s+/g, " ");
  if (MISSING.test(text)) return null;
  const signed = text.replace(/−/g, "-");
  const grouped = DECIMAL === "," ? /(?<=\d)[.\u00a0\u202f](?=\d{3})/g : /(?<=\d)[,\u2009\u202f](?=\d{3})/g;
  // What a template gives for sorting is a number as programs write it.
  const plain = "value" in (cell?.dataset ?? {}) ? signed : signed.replace(grouped, "").replace(DECIMAL, ".");
  const number = NUMBER.exec(plain);
  return number ? Number(number[1]) : text;
}

/** Put rows in the order of their values: all as numbers or all as words; what is missing always last. */
function inOrder(rows, values, sign) {
  const known = values.filter((value) => value !== null);
  const numbers = known.every((value) => typeof value === "number");
  const compare = (a, b) => sign * (numbers ? a - b : words.compare(String(a), String(b)));
  const places = rows.map((_, n) => n);
  places.sort((m, n) =>
    values[m] === null || values[n] === null
      ? (values[m] === null) - (values[n] === null)
      : compare(values[m], values[n]),
  );
  return places.map((n) => rows[n]);
}

/** Let a table be sorted by each of its columns: up, down, and as it was. */
function makeSortable(table) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const original = [...table.tBodies].map((body) => [body, [...body.rows]]);
  const sort = (head, column) => {
    const order = ORDERS[head.getAttribute("aria-sort") ?? "none"];
    heads.forEach((one) => one.removeAttribute("aria-sort"));
    if (order !== "none") head.setAttribute("aria-sort", order);
    for (const [body, rows] of original) {
      const values = rows.map((row) => valueOf(cellAt(row, column)));
      body.append(...(order === "none" ? rows : inOrder(rows, values, order === "descending" ? -1 : 1)));
    }
  };
  heads.forEach((head, column) => {
    if (head.dataset.sort === "no") return;
    const sorter = button("", { class: "sort" }, () => sort(head, column));
    sorter.append(...head.childNodes);
    head.append(sorter);
  });
}

// --- a cell of a confusion matrix, and its images -----------------------------------------------------

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
let panel = null; // the images that are open, of one cell at a time

/** Close the open images; the keyboard goes back to their cell. */
function closePanel() {
  panel?.link.setAttribute("aria-expanded", "false");
  panel?.node.remove();
  panel?.link.focus();
  panel = null;
}

/** Show a cell's images beneath its matrix. */
function openPanel(link, variant) {
  const open = panel?.link === link;
  closePanel();
  if (open) return;
  const cell = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  const words = cell.querySelector("h4").textContent.replace(/[:：] ?(?=[^:：]*$)/, tr(" by {network}: ", { network: variant }));
  const title = make("h4", { id: "panel-title", tabindex: "-1" }, words);
  const close = button(tr("Close"), { class: "close" }, closePanel);
  const images = [...cell.querySelectorAll(":scope > :not(h4)")].map((child) => child.cloneNode(true));
  const attributes = { class: "panel cell on-screen", "aria-labelledby": title.id };
  const node = make("section", attributes, close, title, ...images);
  node.querySelectorAll("[hidden]").forEach((one) => one.removeAttribute("hidden")); // whatever the filter hides
  node.addEventListener("keydown", (event) => event.key === "Escape" && closePanel());
  (link.closest(".scroll") ?? link.closest("table")).after(node);
  link.setAttribute("aria-expanded", "true");
  panel = { link, node };
  title.focus();
}

/** Find the next cell with images in a direction, or none. */
function neighbour(link, [down, right]) {
  const rows = link.closest("table").rows;
  const at = link.closest("td");
  let [row, column] = [at.parentElement.rowIndex + down, at.cellIndex + right];
  for (; rows[row]?.cells[column]; row += down, column += right) {
    const found = rows[row].cells[column].querySelector("a");
    if (found) return found;
  }
  return null;
}

/** Let the cells of a matrix open their images; they are one stop of the Tab key, and arrows go between them. */
function openCells(table) {
  const links = [...table.querySelectorAll("td > a")];
  const stopAt = (stop) => links.forEach((link) => (link.tabIndex = link === stop ? 0 : -1));
  for (const link of links) {
    link.setAttribute("role", "button");
    link.setAttribute("aria-expanded", "false");
  }
  stopAt(links[0]);
  table.addEventListener("focusin", ({ target }) => links.includes(target) && stopAt(target));
  table.addEventListener("click", (event) => {
    const link = event.target.closest("td > a");
    if (!link) return;
    event.preventDefault();
    openPanel(link, table.dataset.variant);
  });
  table.addEventListener("keydown", (event) => {
    const link = event.target.closest("td > a");
    if (!link) return;
    if (event.key in STEPS) neighbour(link, STEPS[event.key])?.focus();
    else if (event.key === " ") link.click();
    else if (event.key === "Escape") closePanel();
    else return;
    event.preventDefault();
  });
}

// --- galleries that filter ----------------------------------------------------------------------------

const HOLDERS = ".gallery, .galleries-of, article, .cell, .mistakes, .all-mistakes";

/** Give the different values of a kind that tiles have, in order. */
function valuesOf(tiles, kind) {
  const found = [...new Set(tiles.map((tile) => tile.dataset[kind]))].filter((value) => value !== "*");
  return kind === "variant" ? found : found.sort((a, b) => a - b);
}

/** Make one choice of the filter: a list that begins with "all". */
function choice(kind, values, names) {
  const options = values.map((value) => make("option", { value }, names?.[value] ?? value));
  return make("select", { id: `filter-${kind}` }, make("option", { value: "" }, tr("all")), ...options);
}

/** Open a block for the filter, and close it again only where it was the filter that opened it. */
function openFor(block, wanted) {
  if (wanted && !block.open) block.dataset.filtered = "";
  else if (!wanted && "filtered" in block.dataset) delete block.dataset.filtered;
  else return;
  block.open = wanted;
}

/** Hide all tiles that are not asked for, and whatever is empty then; gives how many are left. */
function applyFilter(section, tiles, asked) {
  const active = Object.values(asked).some((value) => value !== "");
  const left = tiles.filter((tile) => {
    tile.hidden = !Object.entries(asked).every(([kind, value]) => value === "" || tile.dataset[kind] === value);
    return !tile.hidden;
  });
  const full = new Set();
  for (const tile of left) {
    for (let one = tile.parentElement; one !== section; one = one.parentElement) full.add(one);
  }
  for (const holder of section.querySelectorAll(HOLDERS)) {
    holder.hidden = active && !full.has(holder);
    if (holder.tagName === "DETAILS") openFor(holder, active && full.has(holder));
  }
  return new Set(left.map((tile) => `${tile.dataset.variant} ${tile.dataset.index}`)).size;
}

/** Put a filter above the galleries. */
function addFilter(section) {
  const galleries = section.querySelector(".galleries");
  const tiles = [...section.querySelectorAll(".tile")];
  if (!galleries || tiles.length < 2) return;
  const names = JSON.parse(galleries.dataset.classes);
  const kinds = {
    variant: [tr("Network")],
    true: [tr("True class"), names],
    pred: [tr("Predicted class"), names],
  };
  const selects = Object.entries(kinds).map(([kind, [, known]]) => choice(kind, valuesOf(tiles, kind), known));
  const choices = Object.values(kinds).map(([label], n) =>
    make("div", {}, make("label", { for: selects[n].id }, label), selects[n]),
  );
  const said = make("output", { "aria-live": "polite" });
  const all = applyFilter(section, tiles, {});
  const update = () => {
    const asked = Object.fromEntries(Object.keys(kinds).map((kind, n) => [kind, selects[n].value]));
    const shown = applyFilter(section, tiles, asked);
    const active = selects.some((select) => select.value);
    said.textContent = active ? tr("{shown} of {all} images shown", { shown, all }) : tr("{all} images", { all });
    reset.disabled = !active;
  };
  const reset = button(tr("Show all"), {}, () => {
    selects.forEach((select) => (select.value = ""));
    update();
    selects[0].focus();
  });
  selects.forEach((select) => select.addEventListener("change", update));
  const attributes = { class: "filter on-screen", role: "search", "aria-label": tr("Images") };
  galleries.before(make("div", attributes, ...choices, reset, said));
  update();
}

// --- what scrolls sideways ----------------------------------------------------------------------------

/** Let the keyboard reach what is wider than the page and has nothing in it to reach. */
function reachable(block) {
  const name = block.closest("figure, table")?.querySelector("figcaption strong")?.textContent;
  const update = () => {
    const scrolls = block.scrollWidth > block.clientWidth && !block.querySelector("a, button");
    for (const [attribute, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", name]]) {
      if (scrolls && value) block.setAttribute(attribute, value);
      else block.removeAttribute(attribute);
    }
  };
  new ResizeObserver(update).observe(block);
  update();
}

// --- start --------------------------------------------------------------------------------------------

show(remembered()); // before anything is painted
document.addEventListener("DOMContentLoaded", () => {
  addThemes(document.querySelector(".title-block"));
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  document.querySelectorAll("table[data-variant]").forEach(openCells);
  document.querySelectorAll("#galleries").forEach(addFilter);
  document.querySelectorAll(".scroll:not([tabindex])").forEach(reachable);
});
