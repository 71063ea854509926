const { join } = require('node:path');

const vendorFolder = join(__dirname, 'src', 'components', 'veridas');

/**
 * Veridas's files are bundled as they come: whether each is an ES module or CommonJS, Babel is to find out. Taken for a
 * module, a CommonJS bundle would lose its `module.exports` to the helpers that Babel imports into it.
 */
module.exports = (config) => {
  for (const rule of config.module.rules.flatMap(({ oneOf, ...rule }) => oneOf ?? [rule])) {
    if (!/babel-loader/.test(String(rule.loader))) continue;
    rule.options = {
      ...rule.options,
      overrides: [...(rule.options.overrides ?? []), { test: vendorFolder, sourceType: 'unambiguous' }],
    };
  }
  return config;
};
