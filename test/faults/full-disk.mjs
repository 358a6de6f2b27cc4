/**
 * Loaded before a gateway whose disk is about to be full. Node ignores the signal of a file that may not grow; tap,
 * which watches its children, ends them by it unless somebody else listens.
 */
process.on('SIGXFSZ', () => {});
