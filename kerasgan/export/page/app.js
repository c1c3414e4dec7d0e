// The page: what is chosen, what is shown, and what happens when a finger touches it.

import { addressOf, LARGEST_SEED, newSeed, parseAddress } from "./address.js";
import { awaitOthers } from "./arriving.js";
import { Canvas } from "./canvas.js";
import { fetchDirections, floatsOf, moved, NONE, textOf } from "./directions.js";
import { downloadJson, Trouble } from "./downloads.js";
import { Drawing, placeIn } from "./drawing.js";
import { leaves, whole } from "./given.js";
import { Kept } from "./kept.js";
import * as kinds from "./kinds.js";
import { elements, feeder, given, hasRoom, inputOf, isHard, outputOf, sampleOf, shown, unsupported } from "./kinds.js";
import { between } from "./latents.js";
import { keepOffline, offerInstalling } from "./offline.js";
import { Painting } from "./painting.js";
import { Reel } from "./reel.js";
import { fetchModel, hasWebGPU, Runtime } from "./runtime.js";
import { Sheet, Where } from "./sheet.js";
import { Sliders } from "./sliders.js";
import { Player } from "./sounds.js";
import { Strip } from "./strip.js";
import { tabs } from "./tabs.js";
import { enlarged, LONGEST } from "./tiles.js";
import { Verdict } from "./verdict.js";
import { Wipe } from "./wipe.js";

const RECENT = 30; // runs that the median latency is taken of
const THUMBNAILS = 9;
const STAND_IN = 96; // pixels of the drawing that is enlarged where there is no picture
const STEP = 0.1; // of an arrow key on the latent plane, and, in radians, of one that turns a solid
const BLINK = 40; // milliseconds that small tiles are computed without a look at the page
const TURN = 2 * Math.PI; // of a finger that moves across the whole picture
const TAP = 0.02; // of the picture's width, up to which a finger neither turns it nor draws
const PAPER_LABEL =
  "Paper with the current sample: draw with a finger or a mouse; arrow keys move the pen, the space bar puts it down " +
  "and lifts it";
const CONTROLS =
  "#play, #reel, #actions button, #actions input, #explore button, #explore input, .chips button, " +
  "#text, #prefix, #where select, #verdict input, #examples button, .drawing button, #keep, #draw, #canvas button";

const $ = (selector) => document.querySelector(selector);
const picture = $("#picture");
const pad = $("#pad");

const latency = element("span", "", { id: "latency" }); // which "About" shows

let zoo; // zoo.json
let strip;
let runtime;
let model = null; // compiled; null while one is on its way or after it failed
let description = null; // of the chosen model
let directions = NONE; // of the chosen model
// Which sample is shown: the address says the same. `base` are latents in place of the seed's, such as kept ones.
let choice = { seed: newSeed(), label: 0, text: "", prefix: "", where: null, at: [0, 0], base: null, strengths: {} };
// {thing, of} by kind: what models are given which take a file. It stays when the model changes, unless it is an example of
// the model that `of` names.
const held = {};
let feed; // from a choice to the model's inputs, for the choice's seed
let drawn = null; // {name, image, output, values, lines}: what the canvas shows
let accelerator = "wasm";
let choosing = 0; // counts choices of a model, so that a late download does not take the place of a newer one
let leaving = new AbortController(); // ends the download of a model that is no longer wanted
let filling = 0; // counts fillings of the small pictures, for the same reason
let verified = false;
let renewed = false; // whether another tab has brought a newer bundle, whose files are others
let latencies = [];
let turn; // the angle, in radians, from which a sample is seen that can be turned around
let since = null; // when the sample began to move; null for one that has not been shown yet
let moving = 0; // counts what moves on the picture, so that one gives way to the next
let showTabs; // of what can be done with a model's samples
const player = new Player(showPlaying);
const wipe = new Wipe($("#sample"));
const reel = new Reel($("#reel"));
const sheet = new Sheet($("#sheet"));
const where = new Where($("#where"), (where) => {
  hideMessage();
  if (model) chosen({ where });
});
const verdict = new Verdict($("#verdict"), () => drawn?.found && showJudged());
const kept = new Kept({ take: takeKept, mix: takeMixture, blend, share: passOn, say });
const sliders = new Sliders($("#sliders"), {
  moved: (strengths) => model && update({ strengths }),
  settled: () => model && chosen(), // what is heard is heard then
});
const drawing = new Drawing({
  paper: () => outputOf(description).paperOf(drawn.output, drawn.values, drawn.lines),
  drawn: putOnPaper,
  changed: goOn,
});

const painting = new Painting($("#paints"), {
  image: () => drawn.image,
  latents: () => feed(asked({ strengths: {} }))[inputOf(description, "latents").name],
  sample: paintedSample,
  painted: (bytes) => outputOf(description).painted(description.output, bytes),
  model: () => ({ distribution: inputOf(description, "latents").distribution, basis: directions.basis }),
  drawn: putOnPaper,
  moved: (base) => update({ base, at: [0, 0] }, false),
  said: (text) => ($("#paint .hint").textContent = text || "Paint on the picture: the sample follows."),
  picking: (picks) => picture.classList.toggle("picking", picks),
});

const canvas = new Canvas($("#canvas"), () => model && update());

/* Samples */

/** Runs the newest request that it got, one at a time and at most one a frame of the screen. */
class Newest {
  #work;
  #next = null;
  busy = null;

  constructor(work) {
    this.#work = work;
  }

  /** Whether a newer request waits for the one that is under way. */
  get isWanted() {
    return this.#next !== null;
  }

  request(value) {
    this.#next = value;
    this.busy ??= this.#loop().finally(() => (this.busy = null));
    return this.busy;
  }

  async #loop() {
    while (this.#next) {
      await nextFrame();
      const value = this.#next;
      this.#next = null;
      await this.#work(value);
    }
  }
}

const painter = new Newest(async ({ running, inputs, lines }) => {
  try {
    await WAYS[kinds.wayOf(running.description)](running, inputs, lines);
  } catch (error) {
    if (running !== model) return; // it was given up meanwhile
    $("#progress").hidden = true;
    filling++; // the small pictures would fail, too
    if (running.accelerator === "webgpu") withoutWebGPU(error);
    else fail(error, `${running.description.name} could not make this sample`);
  }
});

const WAYS = { paint, enlarge, refine, list, judge };

async function paint(running, inputs, lines = []) {
  const { values, milliseconds } = await running.run(inputs);
  const sample = sampleOf(running.description, inputs, values);
  const image = shown(running.description, sample, turn, lines);
  if (running.description === description) {
    show(image, { values: sample, lines }, milliseconds, given(running.description, inputs));
  }
  return values;
}

function put(image) {
  picture.getContext("2d").putImageData(image, 0, 0);
}

function show(image, sample, milliseconds, source) {
  player.stop();
  wipe.hide();
  const { name, output } = description;
  picture.width = image.width;
  picture.height = image.height;
  picture.classList.toggle("wide", image.width >= image.height);
  picture.classList.toggle("tall", image.height > image.width);
  picture.classList.toggle("transparent", outputOf(description).isTransparent(output));
  $("#given").hidden = !source;
  if (source) {
    Object.assign($("#given"), { width: source.width, height: source.height });
    $("#given").getContext("2d").putImageData(source, 0, 0);
  }
  drawn = { name, image, output, ...sample };
  kept.show(shownSample());
  since ??= performance.now();
  if (isMoving()) play();
  else put(image);
  latencies = [...latencies, milliseconds].slice(-RECENT);
  const backend = model?.accelerator === "webgpu" ? "WebGPU" : "WebAssembly";
  latency.textContent = `${milliseconds.toFixed(1)} ms · median ${median(latencies).toFixed(1)} ms · ${backend}`;
}

/** Enlarges all of the picture that there is, tile by tile; gives up when a newer one is wanted. */
async function enlarge(running) {
  const { description: own } = running;
  const input = inputOf(own, "image");
  const scale = kinds.enlarges(own);
  const photo = held.image?.thing;
  const source = photo ? whole(photo, LONGEST) : new ImageData(leaves(choice.seed, STAND_IN, STAND_IN), STAND_IN);
  const image = new ImageData(scale * source.width, scale * source.height);
  showEnlarging(source, image);
  const run = async (values) => {
    await nextFrame(); // between tiles the page shows how far it is, and listens
    return kinds.checked((await running.run({ [input.name]: values })).values);
  };
  const begin = performance.now();
  const bar = showProgress(choosing, [1], "Enlarging");
  bar(0, 0);
  for await (const { done, all, top, strip } of enlarged(run, source, scale, input)) {
    if (running !== model || painter.isWanted) return;
    if (strip) {
      image.data.set(strip.data, 4 * top * image.width);
      picture.getContext("2d").putImageData(strip, 0, top);
      bar(0, done / all);
    }
    latency.textContent = `${(performance.now() - begin).toFixed(0)} ms for ${done} of ${all} tiles`;
  }
  $("#progress").hidden = true;
  drawn = { name: own.name, image, output: { ...own.output, exact: true }, values: null, lines: [] };
}

/**
 * Makes a sequence finer, tile by tile, and shows each frame as it is finished, of the first each tile; plays all of them
 * at last. Gives up when another one is wanted.
 */
async function refine(running) {
  const { description: own } = running;
  const { draw, drawGiven, RATE, refined, roomFor } = outputOf(own);
  const [input] = own.inputs;
  const sequence = held[input.kind]?.thing;
  reel.close();
  if (!sequence) {
    Object.assign(picture, { width: 1, height: 1 }); // which also clears it
    return;
  }
  const fine = roomFor(sequence, own);
  showEnlarging(drawGiven(sequence, 0), fine);
  const showFrame = (frame) => {
    drawn = { name: own.name, image: draw(fine, frame), output: own.output, values: fine, lines: [] };
    put(drawn.image);
    wipe.put(drawGiven(sequence, frame));
    picture.dataset.frame = frame;
  };
  let seen = 0; // when the page last came to show how far it is, and to listen
  const run = async (values) => {
    if (performance.now() - seen > BLINK) {
      await nextFrame();
      seen = performance.now();
    }
    return kinds.checked((await running.run({ [input.name]: values })).values);
  };
  const [begin, bar] = [performance.now(), showProgress(choosing, [1], "Enlarging")];
  bar(0, 0);
  for await (const { share, isWhole, place } of refined(run, sequence, fine, input)) {
    if (running !== model || painter.isWanted) return;
    bar(0, share);
    if (isWhole && (fine.done === 1 || !wantsStill())) showFrame(fine.done - 1);
    if (!fine.done) picture.getContext("2d").putImageData(draw(fine, 0), 0, 0, ...place);
    latency.textContent = `${(performance.now() - begin).toFixed(0)} ms for ${fine.done} of ${fine.frames} frames`;
  }
  $("#progress").hidden = true;
  reel.open(fine.frames, RATE, showFrame);
}

/** Says how strange the picture is that a model was given. */
async function judge(running, inputs) {
  const { values, outputs, milliseconds } = await running.run(inputs);
  if (running.description !== description) return values;
  Object.values(outputs).forEach(kinds.checked);
  const found = outputOf(description).judged(description, inputs, outputs);
  show(found.image, { values, found, lines: [] }, milliseconds, null);
  verdict.show(found);
  showJudged();
  return values;
}

/** Shows the picture as it was given, or where it is strange, as the switch says. */
function showJudged() {
  const { found } = drawn;
  drawn.image = verdict.wantsMap && found.map ? found.map : found.image;
  put(drawn.image);
}

/** Lists rows of a table, those that have what is asked for; gives up when others are wanted. */
async function list(running) {
  const { name, inputs, output } = running.description;
  const { COUNT, decoded, isMet, mostMade } = outputOf(running.description);
  const { seed, where } = choice;
  const begin = performance.now();
  const rows = [];
  for (let row = 0; row < mostMade(where) && rows.length < COUNT; row++) {
    const { values } = await running.run(feeder(running.description, seed, null, row)(asked()));
    if (running !== model || painter.isWanted) return;
    const found = decoded(output, kinds.checked(values), kinds.decisions(running.description, seed, row));
    if (isMet(found, where)) rows.push(found);
  }
  sheet.show(output, rows);
  drawn = { name, output, values: rows, lines: [] };
  if (rows.length < COUNT) say(`Of ${mostMade(where)} rows that were made, ${rows.length} have what is asked for.`);
  latency.textContent = `${(performance.now() - begin).toFixed(0)} ms for ${rows.length} rows`;
}

/** Shows a picture as it was, on the one side of the line and, until tiles come, on the other. */
function showEnlarging(source, { width, height }) {
  $("#given").hidden = true;
  wipe.show(source);
  Object.assign(picture, { width, height });
  picture.getContext("2d").drawImage($("#before"), 0, 0, width, height);
}

const OWN = ["seed", "label", "text", "prefix", "where", "base"]; // what, changed, gives a sample that is not near the one shown

/**
 * Shows the sample of the current choice, and writes the choice to where it can be read. A sample that is `another` than
 * the one that was painted on does away with the strokes.
 */
function update(changes = {}, another = Object.keys(changes).length > 0) {
  if (another) painting.reset();
  const around = feed && OWN.every((name) => changes[name] === undefined);
  if (!around) since = null;
  if (changes.seed !== undefined) changes = { at: [0, 0], base: null, ...changes };
  choice = { ...choice, ...changes };
  if (changes.strengths) sliders.strengths = choice.strengths;
  $("#seed").value = choice.seed;
  $("#text").value = choice.text;
  $("#prefix").value = choice.prefix;
  where.show(choice.where);
  const [x, y] = choice.at;
  Object.assign($("#dot").style, { left: `${50 + 50 * x}%`, top: `${50 - 50 * y}%` });
  for (const chip of $("#classes .chips").children) {
    chip.setAttribute("aria-pressed", Number(chip.value) === choice.label);
  }
  history.replaceState(null, "", addressOf(description, choice));
  if (!model) return Promise.resolve();
  if (!around) feed = feeder(description, choice.seed, choice.base);
  const done = painter.request({ running: model, inputs: feed(asked()), lines: drawing.lines });
  if (!around) fillSmall();
  return done;
}

/** The values of the sample of latents that painting tries, from -1 to 1. Sliders stay where they are. */
async function paintedSample(latents) {
  const [running, input] = [model, inputOf(description, "latents")];
  const inputs = feed(asked({ at: [0, 0] }));
  const { values } = await running.run({ ...inputs, [input.name]: moved(latents, directions.named, choice.strengths) });
  return outputOf(running.description).scaled(running.description.output, kinds.checked(values));
}

/** All that a sample follows from: the choice, and what a person gave. */
const asked = (changes) => {
  const files = { picture: canvas.picture ?? held.image?.thing, clip: held.video?.thing, sequence: held.fields?.thing };
  return { ...choice, named: directions.named, ...files, lines: drawing.lines, ...changes };
};

/* Small pictures: the map of the latent plane, and other samples. They wait whenever the large one is wanted. */

function fillSmall() {
  if ($("#explore").hidden) return;
  const number = ++filling;
  const fill = [["#morph", fillMap], ["#more", fillThumbnails]].find(([panel]) => !$(panel).hidden)?.[1];
  fill?.(number).catch((error) => number === filling && fail(error, "The small pictures could not be made"));
}

async function small(number, inputs, canvas, [column, row], [width, height]) {
  while (painter.busy) await painter.busy;
  await nextFrame();
  if (number !== filling || !model) return false;
  const { values } = await model.run(inputs);
  if (number !== filling) return false;
  const image = shown(description, sampleOf(description, inputs, values), undefined, drawing.lines);
  const scratch = new OffscreenCanvas(image.width, image.height);
  scratch.getContext("2d").putImageData(image, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = image.width > width;
  context.clearRect(column * width, row * height, width, height);
  context.drawImage(scratch, column * width, row * height, width, height);
  return true;
}

async function fillMap(number) {
  const side = median(latencies) > 60 ? 3 : 5; // tiles in a row; a slow device draws fewer
  const [height, width] = outputOf(description).smallSize(description.output);
  const canvas = pad.querySelector("canvas");
  if (canvas.width !== side * width || canvas.height !== side * height) {
    Object.assign(canvas, { width: side * width, height: side * height });
  }
  canvas.classList.toggle("transparent", outputOf(description).isTransparent(description.output));
  const current = feed;
  for (const tile of fromTheMiddle(side)) {
    const [column, row] = tile;
    const at = [(2 * column + 1) / side - 1, 1 - (2 * row + 1) / side];
    if (!(await small(number, current(asked({ at })), canvas, tile, [width, height]))) return;
  }
}

async function fillThumbnails(number) {
  const buttons = [...$("#thumbnails").children];
  const [height, width] = outputOf(description).smallSize(description.output);
  for (const button of buttons) {
    const canvas = button.firstChild;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.classList.toggle("transparent", outputOf(description).isTransparent(description.output));
    button.setAttribute("aria-label", `Sample of seed ${button.value}`);
  }
  for (const button of buttons) {
    const inputs = feeder(description, Number(button.value))(asked({ at: [0, 0] }));
    if (!(await small(number, inputs, button.firstChild, [0, 0], [width, height]))) return;
  }
}

/** The [column, row] of all tiles of a square, those in the middle first. */
function fromTheMiddle(side) {
  const tiles = Array.from({ length: side * side }, (_, i) => [i % side, Math.floor(i / side)]);
  const distance = ([column, row]) => Math.hypot(column - (side - 1) / 2, row - (side - 1) / 2);
  return tiles.sort((a, b) => distance(a) - distance(b));
}

/* Sounds: heard when a finger has chosen them, and again when it taps on them. */

const isHeard = () => Boolean(description && outputOf(description)?.channelsOf);

/** Does what a finger or a key asks for, and lets the sample that comes of it be heard. */
async function chosen(changes) {
  if (isHeard()) player.unlock();
  await update(changes);
  hear();
}

function hear() {
  if (!isHeard() || !model || drawn?.name !== description.name) return;
  try {
    player.unlock();
    const { channelsOf, rateOf } = outputOf(description);
    player.play(channelsOf(drawn.output, drawn.values), rateOf(drawn.output));
  } catch (error) {
    fail(error, "The sound could not be played");
  }
}

/** Shows that a sound of so many seconds begins, or, with 0, that none is heard. */
function showPlaying(seconds) {
  const [button, needle] = [$("#play"), $("#needle")];
  button.setAttribute("aria-label", seconds ? "Stop" : "Play");
  button.classList.toggle("playing", seconds > 0);
  for (const animation of needle.getAnimations()) animation.cancel();
  if (seconds) needle.animate({ left: ["0%", "100%"], opacity: [1, 1] }, 1000 * seconds);
}

/* The picture: a finger turns solids, and draws where a model goes on from that; so do keys. */

const isTurned = () => outputOf(description)?.FIRST_TURN !== undefined;
const isDrawnOn = () => Boolean(inputOf(description, "strokes"));
const isPaintedOn = () => !$("#explore").hidden && !$("#paint").hidden && kinds.canPaint(description);
const penOf = () => (isPaintedOn() ? painting.drawing : isDrawnOn() ? drawing : null);
const isPaperThere = () => penOf() && model && drawn?.name === description.name;

function turnTo(angle) {
  if (!isTurned() || drawn?.name !== description.name) return;
  turn = angle;
  drawn.image = shown(description, drawn.values, turn);
  put(drawn.image);
}

/** What a finger does that came down at a place, [x, y] from 0 to 1, and moves: {move(place), end()}, or null. */
function handAt([x, y]) {
  const angle = turn;
  if (isTurned()) return { move: ([to]) => turnTo(angle - TURN * (to - x)), end: () => {} };
  if (!isPaperThere() || (isPaintedOn() && painting.brush.isPicking)) return null;
  const pen = penOf();
  return {
    move(place) {
      if (!pen.isDown) pen.down([x, y]);
      pen.move(place);
    },
    end: () => pen.up(),
  };
}

/** A finger that does not move across the picture is a tap. */
function listenToPicture(tapped) {
  let hand = null;
  let from;
  let moved = false;
  const placeOf = (event) => placeIn(picture, event);
  picture.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary) return;
    from = placeOf(event);
    [hand, moved] = [handAt(from), false];
    if (hand) picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!hand || !event.isPrimary) return;
    const place = placeOf(event);
    moved ||= Math.hypot(place[0] - from[0], place[1] - from[1]) > TAP;
    if (!moved) return;
    for (const each of event.getCoalescedEvents?.() ?? []) hand.move(placeOf(each)); // also those of a busy moment
    hand.move(place);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    picture.addEventListener(end, (event) => {
      if (!event.isPrimary) return;
      if (moved) hand?.end();
      hand = null;
    });
  }
  picture.addEventListener("click", () => moved || tapped(from));
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (isTurned() && step) turnTo(turn + step);
    else if (isPaintedOn() && painting.brush.isPicking && ["Enter", " "].includes(event.key)) painting.tap(painting.drawing.pen);
    else if (!isPaperThere() || !penOf().press(event.key)) return;
    event.preventDefault();
    showPen();
  });
}

/** What the paper looks like while a line is drawn on it: what a model made gives way. */
function putOnPaper(image) {
  moving++;
  delete picture.dataset.frame;
  put(image);
}

/** Has the model go on from the lines that there are now. */
function goOn() {
  hideMessage();
  if (!hasRoom(description, drawing.lines)) {
    drawing.lines = drawing.lines.slice(0, -1);
    say("The last line was left out: with it, this model has no room for more. Draw with fewer corners, or undo.");
  }
  showDrawing();
  since = null;
  update();
  fillSmall();
}

function showDrawing() {
  const count = drawing.lines.length;
  $("#drawing p").textContent = count
    ? `The model goes on from your ${count === 1 ? "line" : `${count} lines`}.`
    : "Draw on the picture: the model goes on from there.";
}

/** Shows where arrow keys have the pen. */
function showPen() {
  const { pen, isDown } = penOf() ?? drawing;
  const [x, y] = pen;
  Object.assign($("#pen").style, { left: `${100 * x}%`, top: `${100 * y}%` });
  $("#pen").classList.toggle("down", isDown);
}

/* What moves: clips, and strokes that are drawn. People who asked their device for less motion see a still picture. */

const wantsStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const isMoving = () => Boolean(outputOf(description)?.viewAt) && !wantsStill();

async function play() {
  const number = ++moving;
  const { viewAt } = outputOf(description);
  let last;
  while (number === moving && drawn?.name === description.name) {
    const view = viewAt(drawn.output, (performance.now() - since) / 1000);
    if (view === null) {
      put(drawn.image);
      break;
    }
    if (view !== last) put(shown(description, drawn.values, view, drawn.lines));
    picture.dataset.frame = last = view;
    await nextFrame();
  }
  if (number === moving) delete picture.dataset.frame;
}

/* Models */

async function chooseModel(name, changes = {}) {
  const number = ++choosing;
  filling++;
  model?.delete();
  player.stop();
  leaving.abort();
  leaving = new AbortController();
  [model, feed, verified, latencies] = [null, null, false, []];
  kept.show(null);
  directions = NONE;
  latency.textContent = "";
  if (name !== description?.name) {
    drawing.reset();
    putCanvasAway();
  }
  description = zoo.models.find((each) => each.name === name);
  hideMessage();
  describe();
  buildClasses();
  buildExamples();
  buildPictures();
  buildDirections();
  dress();
  update({ ...firstOf(description), at: [0, 0], base: null, strengths: {}, ...changes });
  setEnabled(false);
  const problem = unsupported(description);
  if (problem) return fail(new Trouble(`${name} cannot run here. ${problem}`), "", null);
  try {
    const compiled = await loadModel(description, number);
    if (number !== choosing) return compiled?.delete();
    await takeFirst();
    if (number !== choosing) return compiled.delete();
    model = compiled;
    describe();
    dressHands();
    setEnabled(true);
    if (directions.problem) say(directions.problem);
    await update();
  } catch (error) {
    if (number !== choosing) return;
    if (renewed) say("This page has been renewed meanwhile: what it wants is not there any more.", () => location.reload());
    else fail(error, `${name} could not be loaded`, () => chooseModel(name, choice));
  } finally {
    if (number === choosing) $("#progress").hidden = true;
  }
}

async function loadModel(wanted, number) {
  const report = showProgress(number, [zoo.runtime.bytes, wanted.size]);
  const [, file, found] = await Promise.all([
    runtime.load((bytes) => report(0, bytes)),
    fetchModel(wanted, (bytes) => report(1, bytes), leaving.signal),
    directionsOf(wanted, leaving.signal),
  ]);
  if (number !== choosing) return null;
  [verified, directions] = [file.verified, found];
  if (accelerator === "webgpu") {
    try {
      return await runtime.compile(file.bytes, wanted, "webgpu");
    } catch (error) {
      console.debug(error);
      say("WebGPU cannot run this model here, so it runs in WebAssembly.");
      await runtime.load(() => {}); // compiling failed, which stopped it
    }
  }
  return runtime.compile(file.bytes, wanted, "wasm");
}

/** The directions of a model. Without them it works all the same: `problem` says then why it has none. */
async function directionsOf(wanted, signal) {
  try {
    return await fetchDirections(wanted.directions, elements(inputOf(wanted, "latents")?.shape ?? []), signal);
  } catch (error) {
    console.debug(error);
    const reason = error instanceof Trouble ? error.message : `${wanted.directions.file} is damaged.`;
    return { ...NONE, problem: `${wanted.name} has no sliders here: ${reason}` };
  }
}

/** Goes on in WebAssembly when the GPU fails while it runs, as it may when the system takes it away. */
async function withoutWebGPU(error) {
  console.debug(error);
  accelerator = "wasm";
  $("#gpu input").checked = false;
  await chooseModel(description.name, choice);
  if (model) say("The GPU stopped working for this page, so the model now runs in WebAssembly.");
}

function showProgress(number, totals, doing = null) {
  const received = totals.map(() => 0);
  const bar = $("#progress progress");
  $("#progress").hidden = false;
  return (part, bytes) => {
    if (number !== choosing) return;
    received[part] = Math.min(bytes, totals[part]);
    const [done, all] = [sum(received), sum(totals)];
    bar.value = done / all;
    if (doing) $("#progress p").textContent = `${doing}: ${Math.round((100 * done) / all)} %`;
    else $("#progress p").textContent = done < all ? `Loading: ${megabytes(done)} of ${megabytes(all)}` : "Starting …";
  };
}

function describe() {
  strip.mark(description.of ?? description.name);
  const { data, file, sha256 } = description;
  const running = model && `${model.accelerator === "webgpu" ? "WebGPU" : "WebAssembly"}, LiteRT.js`;
  const rows = {
    Model: description.name,
    Makes: description.makes,
    Type: description.gan_type,
    "Trained on": data?.name,
    "Data licence": data?.license,
    Licence: description.license,
    Size: `${megabytes(description.size)}, ${description.quantization}`,
    File: `${file.split("/").pop()}, sha256 ${sha256.slice(0, 12)}… ${verified ? "(matches)" : ""}`,
    "Runs on": running,
    Time: running && latency,
  };
  const items = Object.entries(rows).filter(([, value]) => value);
  $("#about").replaceChildren(...items.flatMap(([name, value]) => [element("dt", name), cell(value)]));
}

function cell(value) {
  const made = element("dd", "");
  made.append(value);
  return made;
}

/** The page as it is for what the model takes and makes: a seed and a plane for latents, a picture to choose for images. */
function dress() {
  const latents = Boolean(inputOf(description, "latents"));
  const file = kinds.givenOf(kinds.givenKind(description));
  const listed = kinds.wayOf(description) === "list";
  $("#explore").hidden = !latents || listed;
  $("#actions label").hidden = !latents;
  $("#frame").classList.toggle("listed", listed);
  picture.hidden = listed;
  if (!listed) sheet.hide();
  where.build(inputOf(description, "condition"));
  $("#source").hidden = !file;
  $("#verdict").hidden = kinds.wayOf(description) !== "judge";
  verdict.build(description.page?.warning);
  $("#draw").hidden = !inputOf(description, "image") || Boolean(kinds.enlarges(description));
  $("#source .hint").textContent = file ? `${description.page?.give ?? file.GIVE} ${file.STAYS}` : "";
  $("#file").accept = file?.ACCEPT ?? "";
  $("#beginning").hidden = !inputOf(description, "tokens");
  $("#given").hidden = true;
  wipe.hide();
  reel.close();
  $("#new").textContent = file?.ASK ?? "New";
  const heard = isHeard();
  $("main").classList.toggle("hard", isHard(description));
  $("#frame").classList.toggle("heard", heard);
  pad.classList.toggle("heard", heard);
  turn = outputOf(description)?.FIRST_TURN;
  dressPicture();
  $("#drawing").hidden = !isDrawnOn();
  showDrawing();
  $("#play").hidden = !heard;
  $("#morph .hint").textContent =
    outputOf(description)?.HINT ??
    (heard
      ? "Tap the plane to hear a place, or drag across it: what lies near sounds alike."
      : "Drag across the plane: what lies near looks alike. Tap the picture for a new one.");
}

/** What can be done with the samples of a model besides looking at them, once its directions are known. */
function dressHands() {
  const { named } = directions;
  const known = Object.entries(choice.strengths).filter(([name]) => named.some((one) => one.name === name));
  choice.strengths = Object.fromEntries(known);
  sliders.build(named);
  sliders.strengths = choice.strengths;
  showTabs(["morph", "more", ...(named.length ? ["steer"] : []), ...(kinds.canPaint(description) ? ["paint"] : [])]);
}

/** The picture as what it is: to be looked at, turned, or drawn and painted on. */
function dressPicture() {
  const paper = Boolean(penOf());
  picture.classList.toggle("turned", isTurned());
  picture.classList.toggle("drawn-on", paper);
  picture.tabIndex = isTurned() || paper ? 0 : -1;
  picture.setAttribute("role", paper ? "application" : "img");
  picture.setAttribute("aria-label", paper ? PAPER_LABEL : "The current sample");
  showPen();
}

function buildClasses() {
  const input = inputOf(description, "labels");
  const [low, high] = input?.range ?? [0, -1];
  const chips = Array.from({ length: high - low + 1 }, (_, i) => {
    const chip = element("button", input.classes?.[i] ?? String(low + i), { value: low + i });
    chip.addEventListener("click", () => chosen({ label: low + i }));
    return chip;
  });
  $("#classes .chips").replaceChildren(...chips);
  $("#classes").hidden = !input;
}

/** What is asked of a model at first: what it opens with; else its first class, the first of its example texts. */
function firstOf(model) {
  const [labels, text] = ["labels", "text"].map((kind) => inputOf(model, kind));
  const { seed, ...opening } = model.page ?? {};
  return {
    prefix: opening.prefix ?? "",
    where: null,
    label: opening.class ?? labels?.range[0] ?? 0,
    text: opening.text ?? text?.examples[0] ?? "",
    ...(seed !== undefined && { seed }),
  };
}

function buildExamples() {
  const input = inputOf(description, "text");
  const chips = (input?.examples ?? []).map((text) => {
    const chip = element("button", text);
    chip.addEventListener("click", () => chosen({ text }));
    return chip;
  });
  $("#caption .chips").replaceChildren(...chips);
  $("#caption").hidden = !input;
  $("#text").maxLength = input?.length ?? 0;
}

/** The directions of a translator that has two. */
function buildDirections() {
  const firstOf = ({ name, of }) => of ?? name;
  const both = zoo.models.filter((each) => firstOf(each) === firstOf(description));
  const chips = both.map(({ name, page }) => {
    const chip = element("button", page?.direction ?? name);
    chip.setAttribute("aria-pressed", name === description.name);
    chip.addEventListener("click", () => chooseModel(name));
    return chip;
  });
  $("#directions").replaceChildren(...chips);
  $("#directions").hidden = chips.length < 2;
}

/** Pictures or sequences to try, where the model has some. */
function buildPictures() {
  const given = kinds.givenOf(kinds.givenKind(description));
  const examples = given ? (description.examples ?? []) : [];
  const buttons = examples.map((example, i) => {
    const button = element("button", "");
    button.append(given.faceOf(example, i + 1, examples.length));
    button.addEventListener("click", () => model && tryExample(example));
    return button;
  });
  $("#examples").replaceChildren(...buttons);
  $("#examples").hidden = !buttons.length;
  if (given) $("#examples").setAttribute("aria-label", given.EXAMPLES);
}

/** Brings paper to draw on, with what the model was given last on it; or puts it away. */
async function toggleCanvas() {
  if (canvas.picture) {
    putCanvasAway();
    return update();
  }
  const { name, examples } = description;
  const pictures = await Promise.all((examples ?? []).map((example) => fetchExample("image", example)));
  if (description.name === name) {
    canvas.open(inputOf(description, "image"), held.image?.thing, pictures);
    $("#draw").setAttribute("aria-expanded", true);
    $("#draw").textContent = "Put the paper away";
    $("#canvas").scrollIntoView({ block: "nearest" });
  }
  for (const each of pictures) each.close();
}

function putCanvasAway() {
  canvas.close();
  $("#draw").setAttribute("aria-expanded", false);
  $("#draw").textContent = "Draw one";
}

/** A model that has examples begins with the first, unless a person gave something. */
async function takeFirst() {
  const kind = kinds.givenKind(description);
  if (held[kind]?.of && held[kind].of !== description.name) hold(kind, null, null);
  const [first] = description.examples ?? [];
  if (!kind || held[kind] || !first) return;
  await takeExample(first).catch((error) => console.debug(error)); // there are drawings in place of pictures
}

async function tryExample(example) {
  try {
    await takeExample(example);
    hideMessage();
    await update();
  } catch (error) {
    fail(error, "The example could not be taken");
  }
}

async function takeExample(example) {
  const { name } = description;
  const kind = kinds.givenKind(description);
  const thing = await fetchExample(kind, example);
  if (description.name === name) hold(kind, thing, name);
}

async function fetchExample(kind, { file }) {
  const read = readerOf(kind);
  const response = await fetch(file);
  if (!response.ok) throw new Trouble(`${file} could not be downloaded.`);
  return read(new File([await response.blob()], file));
}

/** What reads a file for the model that is shown now: when the file has come, it may be another. */
function readerOf(kind) {
  const input = inputOf(description, kind);
  return (file) => kinds.givenOf(kind).readGiven(file, input);
}

function hold(kind, thing, of) {
  held[kind]?.thing.close?.();
  held[kind] = thing && { thing, of };
  if (thing && canvas.picture) canvas.start(thing);
}

async function takeFile() {
  const [file] = $("#file").files;
  const kind = kinds.givenKind(description);
  $("#file").value = ""; // so that the same one can be chosen again
  if (!file) return;
  try {
    hold(kind, await readerOf(kind)(file), null);
    hideMessage();
    await update();
  } catch (error) {
    fail(error, `“${file.name}” could not be read`);
  }
}

/* Messages */

function say(text, again = null) {
  $("#message p").textContent = text;
  $("#message button").hidden = !again;
  $("#message button").onclick = again;
  $("#message").hidden = false;
}

function hideMessage() {
  $("#message").hidden = true;
}

/** Tells what went wrong. A Trouble speaks for itself; anything else is introduced by `what`. */
function fail(error, what, again = null) {
  console.debug(error);
  const reason = String(error?.message ?? error).replace(/\.$/, "");
  const memory = error instanceof RangeError || /memory|\boom\b/i.test(reason);
  const advice = memory ? " The device has too little free memory: close other tabs, or take a smaller model." : "";
  say(error instanceof Trouble ? error.message : `${what}: ${reason}.${advice}`, again);
}

/* Fingers, keys, address */

function listen() {
  const tap = (selector, action) => $(selector).addEventListener("click", action);
  const another = () => (kinds.givenKind(description) ? $("#file").click() : chosen({ seed: newSeed() }));
  const fresh = () => model && another();
  const playOrStop = () => (player.playing ? player.stop() : hear());
  tap("#new", fresh);
  listenToPicture((place) => {
    if (isPaintedOn()) isPaperThere() && painting.tap(place);
    else if (isHeard()) playOrStop();
    else fresh();
  });
  tap("#play", playOrStop);
  $("#text").addEventListener("change", () => model && chosen({ text: $("#text").value }));
  $("#prefix").addEventListener("input", () => model && typedPrefix());
  tap("#save", save);
  tap("#share", share);
  tap("#undo", () => drawing.undo());
  tap("#clear", () => drawing.clear());
  tap("#unpaint", () => painting.drawing.undo());
  tap("#repaint", () => painting.drawing.clear());
  tap("#draw", () => model && toggleCanvas().catch((error) => fail(error, "There is no paper to draw on")));
  tap("#others", () => {
    for (const button of $("#thumbnails").children) button.value = newSeed();
    fillSmall();
  });
  showTabs = tabs($(".tabs"), () => {
    dressPicture();
    if (model) fillSmall();
  });
  tap("#straight", () => sliders.reset());
  $("#seed").addEventListener("change", typedSeed);
  $("#file").addEventListener("change", takeFile);
  $("#gpu input").addEventListener("change", (event) => {
    accelerator = event.target.checked ? "webgpu" : "wasm";
    chooseModel(description.name, choice);
  });
  addEventListener("hashchange", () => follow(location.hash));
  listenToPad();
}

function listenToPad() {
  const drag = (event) => {
    const box = pad.getBoundingClientRect();
    const x = (2 * (event.clientX - box.left)) / box.width - 1;
    const y = 1 - (2 * (event.clientY - box.top)) / box.height;
    if (model) update({ at: nearest(x, y) });
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    drag(event);
  });
  pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && drag(event));
  pad.addEventListener("pointerup", () => isHeard() && chosen());
  const arrows = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
  pad.addEventListener("keydown", (event) => {
    const arrow = arrows[event.key];
    if (!arrow) return;
    event.preventDefault();
    chosen({ at: nearest(choice.at[0] + arrow[0], choice.at[1] + arrow[1]) });
  });
}

/** The place on the latent plane that is nearest to (x, y), as the address writes it. */
function nearest(...place) {
  return place.map((value) => Math.round(1000 * Math.min(1, Math.max(-1, value))) / 1000);
}

/** Every letter of a beginning counts at once. */
function typedPrefix() {
  const prefix = $("#prefix").value;
  const problem = kinds.beginningProblem(description, prefix);
  if (problem) return say(problem);
  hideMessage();
  chosen({ prefix });
}

function typedSeed() {
  const text = $("#seed").value.trim();
  if (!/^\d+$/.test(text) || Number(text) > LARGEST_SEED) {
    say(`“${text}” is no seed: a seed is a whole number from 0 to ${LARGEST_SEED}.`);
    $("#seed").value = choice.seed;
  } else {
    hideMessage();
    chosen({ seed: Number(text) });
  }
}

function setEnabled(enabled) {
  $("main").classList.toggle("waiting", !enabled);
  for (const control of document.querySelectorAll(CONTROLS)) {
    control.disabled = !enabled;
  }
}

async function follow(fragment) {
  try {
    const asked = parseAddress(fragment, zoo.models);
    if (!asked) return await (description ? undefined : chooseModel(zoo.models[0].name));
    hideMessage();
    if (asked.name === description?.name && model) await update({ at: [0, 0], ...asked.changes });
    else await chooseModel(asked.name, asked.changes);
    if (asked.problem && model?.description.name === asked.name) say(asked.problem);
  } catch (error) {
    const opened = description ? Promise.resolve() : chooseModel(zoo.models[0].name);
    fail(error, "The address could not be read");
    await opened;
  }
}

/* What is kept */

/** The sample that is shown, as `Kept` has it; null where there is none, or more belongs to it than latents and words. */
function shownSample() {
  const input = description && inputOf(description, "latents");
  if (!input || !feed || drawn?.name !== description.name || drawing.lines.length) return null;
  const z = textOf(feed(asked({ strengths: {} }))[input.name]);
  const { seed, label, text, prefix, strengths } = choice;
  return { model: description.name, hash: description.sha256.slice(0, 16), seed, label, text, prefix, strengths, z };
}

/** The address of a kept sample: its model, its latents, and all that goes with them. */
function addressOfKept(sample) {
  const known = zoo.models.find(({ name }) => name === sample.model);
  if (!known) throw new Trouble(`There is no model “${sample.model}” here.`);
  const choice = { ...sample, at: [0, 0], base: floatsOf(sample.z) };
  return addressOf({ ...known, sha256: sample.hash }, choice);
}

function takeKept(sample) {
  try {
    follow(addressOfKept(sample));
  } catch (error) {
    fail(error, "This sample could not be brought back");
  }
}

function takeMixture({ model: name, seed, label, text, prefix, strengths, z }) {
  if (model && name === description.name) update({ seed, label, text, prefix, strengths, base: floatsOf(z) });
}

function blend(name, z, other, share) {
  const known = zoo.models.find((each) => each.name === name);
  return between(inputOf(known, "latents").distribution, z, other, share);
}

async function passOn(sample) {
  try {
    const url = new URL(addressOfKept(sample), location).href;
    if (navigator.share) await navigator.share({ url });
    else await navigator.clipboard.writeText(url);
    if (!navigator.share) $("#kept .hint").textContent = "The link is copied.";
  } catch (error) {
    if (error instanceof Trouble) fail(error);
    else if (error.name !== "AbortError") $("#kept .hint").textContent = "The address bar holds the link: copy it there.";
  }
}

/* Saving and sharing */

/** What is shown, as a file for other programs. */
function sampleFile() {
  if (drawn?.name !== description.name) throw new Trouble("There is nothing to save yet.");
  const { name, output, values } = drawn;
  return outputOf(description).file(`${name}-${choice.seed}`, picture, output, values);
}

async function save() {
  try {
    const file = await sampleFile();
    const link = element("a", "", { href: URL.createObjectURL(file), download: file.name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    fail(error, "The sample could not be saved");
  }
}

async function share() {
  try {
    const files = [await sampleFile()];
    const url = location.href;
    await navigator.share(navigator.canShare({ files, url }) ? { files, url } : { url });
  } catch (error) {
    if (error.name !== "AbortError") fail(error, "The sample could not be shared"); // an abort is the person's own
  }
}

/* Small things */

/** The next frame of the screen; soon, too, while the page is out of sight and no frames are drawn. */
function nextFrame() {
  return new Promise((resolve) => {
    requestAnimationFrame(resolve);
    setTimeout(resolve, 100);
  });
}

function element(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...properties });
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/* Beginning */

async function start() {
  $("#thumbnails").replaceChildren(
    ...Array.from({ length: THUMBNAILS }, () => {
      const button = element("button", "", { value: newSeed() });
      button.append(element("canvas", ""));
      button.addEventListener("click", () => model && chosen({ seed: Number(button.value) }));
      return button;
    }),
  );
  setEnabled(false);
  offerInstalling($("#install"));
  try {
    zoo = await downloadJson("zoo.json", "The list of models (zoo.json)");
    if (!zoo.models?.length) throw new Trouble("The list of models (zoo.json) is empty. Export the page again.");
  } catch (error) {
    $("#progress").hidden = true;
    return fail(error, "The list of models could not be read", () => location.reload());
  }
  runtime = new Runtime(zoo.runtime);
  strip = new Strip($("#strip"), zoo.models, chooseModel);
  awaitOthers(zoo, $("#arriving"), (newer) => {
    zoo = newer;
    strip.show(zoo.models);
  });
  listen();
  await follow(location.hash);
  $("#share").hidden = !navigator.share;
  if (navigator.share) $("#link").textContent = "Share link";
  $("#gpu").hidden = !(await hasWebGPU());
}

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  fail(event.reason, "Something went wrong");
});

const ready = start().catch((error) => fail(error, "The page could not start", () => location.reload()));

/**
 * For tests and the curious, in the browser's console:
 *   await kerasgan.ready                    the first sample is drawn, or a message says why not
 *   await kerasgan.offline                  whether the page now works without a network
 *   await kerasgan.run(name, inputs)        inputs {latents: [...], labels: [...]}, or {images: [...]}, -> the output, a
 *                                           Float32Array; draws it, too, unless it is a row. Chooses the model if another one is chosen.
 *   await kerasgan.show(changes)            changes some of {seed, label, text, prefix, where, at: [x, y], base, strengths: {name: deviations}}
 *   kerasgan.state()                        {name, seed, label, text, prefix, where, at, base, strengths, inputs, accelerator, verified, memory, playing, painted}
 *   kerasgan.pixels()                       {name, width, height, data}: the RGBA bytes that were drawn last
 */
window.kerasgan = {
  ready,
  offline: ready.then(() => keepOffline(() => (renewed = true))),
  async run(name, inputs) {
    if (!zoo.models.some((each) => each.name === name)) throw new Error(`There is no model ${name} here.`);
    if (description.name !== name || !model) await chooseModel(name);
    if (!model) throw new Error($("#message p").textContent);
    filling++;
    while (painter.busy) await painter.busy;
    const arrays = description.inputs.map((input) => {
      const Kind = input.dtype === "int32" ? Int32Array : Float32Array;
      return [input.name, Kind.from(inputs[input.name])];
    });
    const given = Object.fromEntries(arrays);
    const way = kinds.wayOf(description);
    return ["paint", "judge"].includes(way) ? WAYS[way](model, given) : (await model.run(given)).values;
  },
  show: (changes) => update(changes),
  state: () => ({
    ...choice,
    name: description?.name,
    inputs: feed?.(asked()),
    accelerator: model?.accelerator,
    verified,
    memory: model ? runtime.memory : 0,
    playing: player.playing,
    painted: painting.last,
  }),
  pixels: () => drawn?.image && { name: drawn.name, ...imageParts(drawn.image) },
};

function imageParts({ width, height, data }) {
  return { width, height, data: Array.from(data) };
}
