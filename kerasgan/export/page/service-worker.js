// Keeps the page, the runtime and the models that were used, so that they work without a network.

const BUNDLE = { version: "", page: [], runtime: "" }; // written by kerasgan.export.web

const PREFIX = `kerasgan ${self.registration.scope} `; // other pages of the same host have caches of their own
const CACHE = PREFIX + BUNDLE.version;
const PAGE = new Set(BUNDLE.page.map((file) => new URL(file, self.registration.scope).href));
const KEPT = [new URL(BUNDLE.runtime, self.registration.scope).href, new URL("models/", self.registration.scope).href];

self.addEventListener("install", (event) => {
  event.waitUntil(storePage());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([deleteOlder(), self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = request.url.split("#")[0];
  if (request.method !== "GET") return;
  if (KEPT.some((start) => url.startsWith(start))) event.respondWith(cacheFirst(request));
  else if (PAGE.has(url)) event.respondWith(networkFirst(request));
});

// The page lists what it loaded before this worker was there.
self.addEventListener("message", (event) => {
  event.waitUntil(keep(event.data.keep).then((kept) => event.ports[0].postMessage({ kept })));
});

async function storePage() {
  const cache = await caches.open(CACHE);
  // "reload" asks the server without a look into the browser's own cache, where a request can wait for another tab's.
  await cache.addAll([...PAGE].map((url) => new Request(url, { cache: "reload" })));
  await self.skipWaiting();
}

async function deleteOlder() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(names.map((name) => caches.delete(name)));
}

/** Files whose address names their content or version never change. */
async function cacheFirst(request) {
  const cache = await caches.open(CACHE);
  const kept = request.cache === "reload" ? null : await cache.match(request, { ignoreVary: true });
  return kept ?? stored(cache, request, await fetch(request));
}

/** The page itself is as new as the network allows. */
async function networkFirst(request) {
  const cache = await caches.open(CACHE);
  try {
    return stored(cache, request, await fetch(request, { cache: "no-cache" }));
  } catch (error) {
    const kept = await cache.match(request.url.split("#")[0], { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

function stored(cache, request, response) {
  if (response.ok) {
    const copy = response.clone();
    cache.put(request.url.split("#")[0], copy).catch(() => {}); // no room left: the page works, only not offline
  }
  return response;
}

async function keep(urls) {
  const cache = await caches.open(CACHE);
  try {
    for (const url of urls.filter((url) => KEPT.some((start) => url.startsWith(start)))) {
      if (!(await cache.match(url, { ignoreVary: true }))) await cache.add(url);
    }
    return true;
  } catch {
    return false;
  }
}
