/**
 * Keeps tap's module hooks away, for coverage and mocks, which no test here uses: with them, each module that a test
 * loads takes a way through a further thread, and the whole gateway twice as long.
 */

const Module = require('node:module');

const { register } = Module;
Module.register = (specifier, ...rest) => {
  if (!String(specifier).includes('/@tapjs/')) register.call(Module, specifier, ...rest);
};
Module.syncBuiltinESMExports();
