import { readFileSync } from 'node:fs';
import { functionsPolicy, hostPolicy, oldBucketPolicy } from './policies.ts';
import { judge, type Policy, policyOf } from './policy.ts';

test('the policies of the local bucket are those of docs/deploy.md', () => {
  const page = readFileSync('docs/deploy.md', 'utf8');
  const written = [...page.matchAll(/```json\n([\s\S]*?)```/g)]
    .map(([, text = '']) => text)
    // The bucket's own policy, of mode sse-kms, names principals; a user's does not.
    .filter((text) => text.includes('"Version"') && !text.includes('"Principal"'))
    .map((text) => JSON.parse(text) as Policy);
  expect(written).toEqual([functionsPolicy, hostPolicy, oldBucketPolicy]);
});

const policy: Policy = {
  Version: '2012-10-17',
  Statement: [
    { Sid: 'A', Effect: 'Allow', Action: 's3:Get*', Resource: ['arn:aws:s3:::b/x/*', 'arn:aws:s3:::b/y'] },
    { Sid: 'B', Effect: 'Allow', Action: ['s3:PutObject'], Resource: '*' },
    { Sid: 'C', Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::b/*.json' },
    { Sid: 'D', Effect: 'Deny', Action: 's3:PutObject', Resource: 'arn:aws:s3:::b/?.txt' },
  ],
};

test.each([
  ['s3:GetObject', 'x/1', 'allowed'],
  ['s3:getobject', 'x/1/2', 'allowed'],
  ['s3:GetObject', 'y', 'allowed'],
  ['s3:GetObject', 'Y', 'not-allowed'],
  ['s3:GetObject', 'y/1', 'not-allowed'],
  ['s3:DeleteObject', 'x/1', 'not-allowed'],
  ['s3:PutObject', 'anything', 'allowed'],
  ['s3:PutObject', 'x/deep/1.json', 'denied'],
  ['s3:GetObject', 'x/1.json', 'denied'],
  ['s3:PutObject', 'x/1xjson', 'allowed'],
  ['s3:PutObject', 'a.txt', 'denied'],
  ['s3:PutObject', 'ab.txt', 'allowed'],
] as const)('%s on %s is %s', (action, key, verdict) => {
  expect(judge(policy, action, `arn:aws:s3:::b/${key}`)).toBe(verdict);
});

test('a policy is for the bucket that stands in it', () => {
  const own = policyOf(functionsPolicy, 'mine');
  expect(judge(own, 's3:PutObject', 'arn:aws:s3:::mine/recordings/AC/RE')).toBe('allowed');
  expect(judge(own, 's3:PutObject', 'arn:aws:s3:::other/recordings/AC/RE')).toBe('not-allowed');
});
