"use strict";
// Lists can be filtered, values copied; a link opens its target; printing opens what a reader of paper cannot open.
(() => {
  const filtered = new Set(); // the rows that a filter may have hidden
  const filterOf = (form) => {
    const list = document.getElementById(form.dataset.filter);
    const rows = [...list.children];
    const [level, host, text] = ["level", "host", "text"].map((by) => form.querySelector(`[data-by=${by}]`));
    const count = form.querySelector(".filter-count");
    const noun = form.dataset.noun;
    const contents = new Map();
    const contentOf = (row) => {
      if (!contents.has(row)) contents.set(row, row.textContent.toLowerCase());
      return contents.get(row);
    };
    const filter = () => {
      const least = Number(level.value);
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let fitting = 0;
      for (const row of rows) {
        const fits = Number(row.dataset.level) >= least && (!host || !host.value || row.dataset.host === host.value)
          && words.every((word) => contentOf(row).includes(word));
        row.hidden = !fits;
        fitting += fits ? 1 : 0;
      }
      const all = `${rows.length} ${noun}${rows.length === 1 ? "" : "s"}`;
      count.textContent = fitting === rows.length ? all : `${fitting} of ${all}`;
    };
    for (const row of rows) filtered.add(row);
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const select of [level, host]) if (select) select.addEventListener("change", filter);
    text.addEventListener("input", filter);
    if (level.value !== "0" || text.value || (host && host.value)) filter();
  };
  for (const form of document.querySelectorAll("form[data-filter]")) filterOf(form);

  // The clipboard is not ours to use everywhere: then the value is shown and selected, to be copied by hand.
  const byHand = (button, value) => {
    let field = button.parentElement.querySelector(".raw");
    if (!field) {
      field = document.createElement("textarea");
      field.className = "raw";
      field.readOnly = true;
      field.setAttribute("aria-label", "The value, selected for copying");
      button.parentElement.append(field);
    }
    field.value = value;
    field.rows = Math.min(value.split("\n").length, 8);
    field.focus();
    field.select();
    return "Press Ctrl+C to copy.";
  };
  const copy = async (button, value, told) => {
    try {
      await navigator.clipboard.writeText(value);
      told("Copied.");
    } catch {
      told(byHand(button, value));
    }
  };
  for (const part of document.querySelectorAll(".copies")) part.hidden = false;
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const list = button.dataset.copyList && document.getElementById(button.dataset.copyList);
      const chosen = button.dataset.only === "block" ? "[data-copy][data-block]" : "[data-copy]";
      const values = list ? [...list.querySelectorAll(chosen)].map((one) => one.dataset.copy) : [button.dataset.copy];
      const status = button.closest("section").querySelector(".copied");
      copy(button, values.join("\n"), (words) => {
        status.textContent = list ? `${values.length} values. ${words}` : words;
        if (!list) button.textContent = words === "Copied." ? "Copied" : "Selected";
        if (!list) setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
    });
  }

  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
      if (at.hidden && filtered.has(at)) at.hidden = false;
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details[data-print]:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
})();
