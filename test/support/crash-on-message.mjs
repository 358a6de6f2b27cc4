/** Loaded before the gateway: throws where nobody catches, when told to. */

process.once('message', (message) => {
  setImmediate(() => {
    throw new Error(String(message));
  });
});
