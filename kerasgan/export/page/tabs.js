// Tabs, as the ARIA practices of the W3C describe them: one is in the order of the Tab key, arrow keys go to the others.

/** Has the tabs of a list show their panels; `changed()` is called when another one is chosen. */
export function tabs(list, changed) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (chosen, focus) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
    if (focus) chosen.focus();
    changed();
  };
  list.addEventListener("click", (event) => all.includes(event.target) && choose(event.target));
  list.addEventListener("keydown", (event) => {
    const at = all.indexOf(event.target);
    const last = all.length - 1;
    const to = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose(all[to], true);
  });
}
