// Models that are still being prepared when the page opens: kerasgan serve puts them onto it one by one.

import { downloadJson } from "./downloads.js";

const PAUSE = 2000; // milliseconds between two questions

/** Says in `note` how many are to come, and calls `take(zoo)` with each newer list of models, until it is complete. */
export async function awaitOthers(zoo, note, take) {
  for (let known = zoo; tell(known.preparing ?? 0, note); ) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const newer = await downloadJson("zoo.json", "The list of models (zoo.json)").catch(() => known); // asked again soon
    if (newer.models.length !== known.models.length) take(newer);
    known = newer;
  }
}

function tell(count, note) {
  note.hidden = !count;
  note.textContent = count === 1 ? "One more model is on its way." : `${count} more models are on their way.`;
  return count > 0;
}
