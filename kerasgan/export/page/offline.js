// The page without a network, and among the apps of a device.

/**
 * Starts the service worker, where the browser allows one. Promises whether the page now works offline. `renewed` is
 * called when another tab has brought a newer bundle, whose files are others.
 */
export async function keepOffline(renewed) {
  if (!isSecureContext || !("serviceWorker" in navigator)) return false;
  try {
    const workers = navigator.serviceWorker;
    let isKnown = Boolean(workers.controller);
    workers.addEventListener("controllerchange", () => {
      if (isKnown) renewed();
      isKnown = true;
      handOver(workers.controller); // a newer bundle's
    });
    await workers.register("service-worker.js");
    return await handOver((await workers.ready).active);
  } catch (error) {
    console.debug(error);
    return false;
  }
}

/** Has a service worker keep what the page loaded so far. */
function handOver(worker) {
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = (event) => resolve(event.data.kept);
    worker.postMessage({ keep: [...new Set(loaded)] }, [channel.port2]);
  });
}

/** Shows a button once the browser offers to install the page. */
export function offerInstalling(button) {
  let offer;
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer = event;
    button.hidden = false;
  });
  button.addEventListener("click", () => {
    button.hidden = true;
    offer.prompt();
  });
}
