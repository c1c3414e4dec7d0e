// LiteRT.js: loading it, compiling models, running them.

import { check, download, downloadBytes, Trouble } from "./downloads.js";

/** LiteRT.js, from the addresses in zoo.json. One instance serves the page. */
export class Runtime {
  #urls;
  #core; // the module of LiteRT.js
  #wasm; // {module, script}: compiled WebAssembly and the script that belongs to it
  #loading = null;
  #cache = "default"; // "reload" after a failure, which may be due to a damaged copy in the browser's cache
  #turn = Promise.resolve();

  constructor(urls) {
    this.#urls = urls;
  }

  /** Downloads and starts LiteRT.js, once; after a failure or a restart, again. */
  load(progress) {
    this.#loading ??= this.#load(progress).catch((error) => {
      [this.#loading, this.#wasm, this.#cache] = [null, null, "reload"];
      throw error;
    });
    return this.#loading;
  }

  async #load(progress) {
    this.#core ??= await imported(this.#urls.core);
    this.#wasm ??= await this.#download(progress);
    const { module, script } = this.#wasm;
    progress(this.#urls.bytes);
    const started = Promise.withResolvers ? Promise.withResolvers() : withResolvers();
    globalThis.Module = {
      // What the runtime reports is not for the console of a page that works.
      print: (text) => console.debug(text),
      printErr: (text) => console.debug(text),
      instantiateWasm(imports, receive) {
        WebAssembly.instantiate(module, imports)
          .then((instance) => receive(instance, module))
          .catch(started.reject);
        return {};
      },
    };
    this.#core.loadLiteRt(script).then(started.resolve, started.reject);
    try {
      await started.promise;
    } catch (error) {
      throw cannotStart(error);
    }
  }

  async #download(progress) {
    // Older browsers lack the relaxed SIMD instructions that the faster of the two builds uses.
    const build = (await this.#core.supportsFeature("relaxedSimd")) ? "litert_wasm" : "litert_wasm_compat";
    const script = `${this.#urls.wasm}${build}_internal.js`;
    if (this.#cache === "reload") await fetch(script, { cache: "reload" });
    else preload(script);
    const address = `${this.#urls.wasm}${build}_internal.wasm`;
    const response = await download(address, "The runtime (LiteRT.js)", progress, { cache: this.#cache });
    try {
      return { script, module: await WebAssembly.compileStreaming(response) };
    } catch (error) {
      if (error instanceof WebAssembly.CompileError || error instanceof RangeError) throw cannotStart(error);
      throw new Trouble("The runtime (LiteRT.js) arrived only in part: the connection broke. Try again.");
    }
  }

  /** Bytes of the memory that WebAssembly has taken. */
  get memory() {
    return this.#core.getGlobalLiteRt().liteRtWasm.HEAPU8.byteLength;
  }

  /**
   * Compiles a model for "wasm" or "webgpu".
   *
   * A model that cannot be compiled may leave LiteRT.js in pieces, so that it is started afresh: models compiled
   * before are gone then.
   */
  compile(bytes, description, accelerator) {
    return this.#inTurn(async () => {
      try {
        const compiled = await this.#core.loadAndCompile(bytes, { accelerator });
        return new Model(compiled, description, this.#core.Tensor, (work) => this.#inTurn(work));
      } catch (error) {
        this.#restart();
        throw error;
      }
    });
  }

  #restart() {
    try {
      this.#core.getGlobalLiteRt().objectsToDelete.clear(); // deleting them would run code that may be broken
      this.#core.unloadLiteRt();
    } catch (error) {
      console.debug(error); // it was not running
    }
    this.#loading = null;
  }

  /** Runs `work` when everything asked before is done: LiteRT.js does one thing at a time. */
  #inTurn(work) {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** A compiled model. */
export class Model {
  #compiled;
  #Tensor;
  #inTurn;

  constructor(compiled, description, Tensor, inTurn) {
    this.#compiled = compiled;
    this.#Tensor = Tensor;
    this.#inTurn = inTurn;
    this.description = description;
    this.accelerator = compiled.options.accelerator; // what it runs on in the end, whatever was asked for
  }

  /** Runs the model on values by input name; returns `{values, milliseconds}` of its output, `outputs` all by name. */
  run(inputs) {
    return this.#inTurn(() => this.#run(inputs));
  }

  async #run(inputs) {
    const tensors = {};
    let results = {};
    try {
      for (const { name, shape } of this.description.inputs) tensors[name] = new this.#Tensor(inputs[name], shape);
      const start = performance.now();
      results = await this.#compiled.run(tensors);
      const { output, outputs = [output] } = this.description;
      const found = {};
      for (const { name } of outputs) found[name] = await results[name].data();
      return { values: found[output.name], outputs: found, milliseconds: performance.now() - start };
    } finally {
      // Tensors lie in WebAssembly's memory or the GPU's, where nothing is collected.
      for (const tensor of [...Object.values(tensors), ...Object.values(results)]) tensor.delete();
    }
  }

  /** Frees the model when what it is doing is done. */
  delete() {
    this.#inTurn(() => this.#compiled.delete()).catch((error) => console.debug(error));
  }
}

/** The bytes of a model's file, and whether its sha256 was compared. An aborted `signal` ends the download. */
export async function fetchModel(description, progress, signal) {
  // The address names the content, so that a cache never mistakes an older file for this one.
  const url = `${description.file}?${description.sha256.slice(0, 16)}`;
  const bytes = await downloadBytes(url, description.file, progress, { signal });
  try {
    return { bytes, verified: await check(bytes, description) };
  } catch (error) {
    console.debug(error); // perhaps a damaged copy in the browser's cache
    const again = await downloadBytes(url, description.file, progress, { signal, cache: "reload" });
    return { bytes: again, verified: await check(again, description) };
  }
}

/** Whether this browser has a GPU for WebGPU. */
export async function hasWebGPU() {
  try {
    return Boolean(await navigator.gpu?.requestAdapter());
  } catch {
    return false;
  }
}

async function imported(url) {
  try {
    return await import(url);
  } catch (error) {
    console.debug(error);
    throw new Trouble(`The runtime (LiteRT.js) could not be downloaded from ${new URL(url, location).origin}.`);
  }
}

function cannotStart(error) {
  if (error instanceof Trouble) return error;
  const reason = String(error?.message ?? error).replace(/\.$/, "");
  const advice = /memory/i.test(reason) ? "Close other tabs" : "Try again, or use a newer browser";
  return new Trouble(`The runtime (LiteRT.js) could not start: ${reason}. ${advice}.`);
}

function preload(script) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "preload", as: "script", crossOrigin: "anonymous", href: script });
  document.head.append(link);
}

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
