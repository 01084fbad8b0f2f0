"use strict";
// The list of alerts can be filtered; printing opens what a reader of paper cannot open; a link opens its target.
(() => {
  const form = document.getElementById("filter");
  const rows = [...document.querySelectorAll("#alert-list > li")];
  if (form) {
    const level = document.getElementById("filter-level");
    const text = document.getElementById("filter-text");
    const count = document.getElementById("filter-count");
    const contents = new Map();
    const contentOf = (row) => {
      if (!contents.has(row)) contents.set(row, row.textContent.toLowerCase());
      return contents.get(row);
    };
    const filter = () => {
      const least = Number(level.value);
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const fits = Number(row.dataset.level) >= least && words.every((word) => contentOf(row).includes(word));
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      }
      count.textContent = shown === rows.length ? `${shown} alerts` : `${shown} of ${rows.length} alerts`;
    };
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    level.addEventListener("change", filter);
    text.addEventListener("input", filter);
    if (level.value !== "0" || text.value) filter();
  }

  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
      if (at.hidden && rows.includes(at)) at.hidden = false;
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
