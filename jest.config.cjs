const { availableParallelism } = require('node:os');

/** Tests lie beside the code they test; what crosses rooms is under test/. */
module.exports = {
  testMatch: ['<rootDir>/{packages,server,sandbox,functions,plugin-*,test}/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  transform: {
    '^.+\\.(t|j|mj)s$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  // jose, hyparquet, and the cookie parser of Fastify's inject, ship ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!(jose|light-my-request|cookie|hyparquet|hyparquet-writer)/)'],
  // Longer than a busy machine takes: only what fails waits it out.
  testTimeout: 120_000,
  // On two cores jest would take one; but these tests wait for processes and clocks more than they work.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
