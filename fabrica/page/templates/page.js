"use strict";
(function () {
  const root = document.documentElement;
  const by = (id) => document.getElementById(id);
  root.classList.add("js");

  // colours: the reader's system decides until the button is pressed
  const theme = by("theme");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const tell = () => {
    theme.setAttribute("aria-pressed", String(isDark()));
    theme.textContent = isDark() ? "Light colours" : "Dark colours";
  };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; tell(); });
  dark.addEventListener("change", tell);
  tell();

  // sortable tables: a button in each heading, aria-sort tells the order
  function cellKey(row, at, kind) {
    const cell = row.cells[at];
    if (kind !== "number") return cell.textContent.trim().toLowerCase();
    return cell.dataset.v === "" ? NaN : Number(cell.dataset.v);
  }
  function compare(a, b, up) {
    if (typeof a === "string") return up * a.localeCompare(b);
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);  // what has no number stays last
    return up * (a - b);
  }
  function sort(table, head, at) {
    const kind = head.dataset.sort;
    const now = head.getAttribute("aria-sort");
    const up = now ? now !== "ascending" : kind !== "number";
    for (const th of table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows].map((row) => [cellKey(row, at, kind), row]);
    rows.sort((a, b) => compare(a[0], b[0], up ? 1 : -1));
    table.tBodies[0].append(...rows.map((pair) => pair[1]));
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      if (head.dataset.sort === "none") return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => sort(table, head, at));
    });
  }

  // filter of the table
  const rowFilter = by("row-filter");
  rowFilter.addEventListener("input", () => {
    const wanted = rowFilter.value.trim().toLowerCase();
    let shown = 0;
    for (const row of by("findings").tBodies[0].rows) {
      row.hidden = !(row.textContent + " " + row.dataset.metric).toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    by("row-count").textContent = wanted ? shown + " found" : "";
  });

  // small multiples: order, filter, the first twelve
  const list = by("panels");
  if (list) {
    const first = 12;
    const all = by("panel-all"), order = by("panel-order"), filter = by("panel-filter");
    const panels = [...list.children];
    let open = panels.length <= first;
    const keys = {
      error: (a, b) => b.dataset.error - a.dataset.error,
      order: (a, b) => a.dataset.order - b.dataset.order,
      name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
    };
    const draw = () => {
      const wanted = filter.value.trim().toLowerCase();
      panels.sort(keys[order.value]);
      list.append(...panels);
      let found = 0, shown = 0;
      for (const panel of panels) {
        const fits = panel.dataset.name.toLowerCase().includes(wanted);
        panel.hidden = !fits || (!open && !wanted && found >= first);
        found += fits;
        shown += !panel.hidden;
      }
      all.hidden = panels.length <= first || Boolean(wanted);
      all.setAttribute("aria-expanded", String(open));
      all.textContent = open ? "Show the first " + first : "Show all " + panels.length + " columns";
      by("panel-count").textContent = shown < panels.length ? shown + " of " + panels.length + " columns shown" : "";
    };
    all.addEventListener("click", () => { open = !open; draw(); });
    order.addEventListener("change", draw);
    filter.addEventListener("input", draw);
    draw();
  }

  // the pair under the pointer, in words
  const heat = by("heat");
  if (heat) {
    const data = JSON.parse(by("heat-data").textContent);
    const under = by("heat-under");
    heat.addEventListener("pointermove", (event) => {
      const box = heat.getBoundingClientRect();
      const scale = heat.viewBox.baseVal.width / box.width / data.cell;
      const i = Math.floor((event.clientY - box.top) * scale), j = Math.floor((event.clientX - box.left) * scale);
      const value = i > j && j >= 0 && data.values[i] ? data.values[i][j] : undefined;
      if (value === undefined) return;
      const floor = data.floors[i] ? data.floors[i][j] : null;
      under.textContent = data.names[i] + " × " + data.names[j] + ": " + (value === null ? "not measured" : value + " %") +
        (floor === null ? "" : " (floor " + floor + " %)");
    });
  }

  // on paper everything is open
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
