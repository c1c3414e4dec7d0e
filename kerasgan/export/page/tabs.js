// Tabs, as the ARIA practices of the W3C describe them: one is in the order of the Tab key, arrow keys go to the others.

/**
 * Has the tabs of a list show their panels; `changed()` is called when another one is chosen. Returns a function that
 * shows those of `names` and no others: where the chosen one is not among them, the first is chosen.
 */
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
  const shown = () => all.filter((tab) => !tab.hidden);
  list.addEventListener("click", (event) => all.includes(event.target) && choose(event.target));
  list.addEventListener("keydown", (event) => {
    const those = shown();
    const at = those.indexOf(event.target);
    const last = those.length - 1;
    const to = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose(those[to], true);
  });
  return (names) => {
    for (const tab of all) tab.hidden = !names.includes(tab.getAttribute("aria-controls"));
    if (!shown().some((tab) => tab.getAttribute("aria-selected") === "true")) choose(shown()[0]);
  };
}
