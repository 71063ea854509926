import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describeWhere } from '../support/needs.ts';

/** What an agent's browser loads before Flex is there: React, Flex UI and Redux are the page's own. */
const mostBytes = 120_000;

describeWhere('plugins', 'the built plugins', () => {
  test.each(['plugin-recording', 'plugin-veridas'])('%s is small', (name) => {
    const bundle = readFileSync(`${name}/build/${name}.js`);
    expect(gzipSync(bundle).length).toBeLessThanOrEqual(mostBytes);
  });

  test.each(['plugin-recording', 'plugin-veridas'])('%s brings no second React', (name) => {
    const bundle = readFileSync(`${name}/build/${name}.js`, 'utf8');
    expect(bundle).not.toContain('__SECRET_INTERNALS_DO_NOT_USE_OR_YOU_WILL_BE_FIRED={');
  });
});

test.each(['plugin-recording', 'plugin-veridas'])(
  '%s is what the builder takes: React 17, Flex UI 2.17.1',
  (name) => {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(`${name}/package.json`, 'utf8'),
    ) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
    expect(dependencies).toMatchObject({
      '@twilio/flex-plugin-scripts': '7.1.2',
      react: '17.0.2',
      'react-dom': '17.0.2',
    });
    expect(devDependencies).toMatchObject({ '@twilio/flex-ui': '2.17.1' });
  },
);
