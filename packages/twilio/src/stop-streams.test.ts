import { asCallSid, asConferenceSid, type LiveConference } from '@flex-custody/core';
import { stopStreams } from './stop-streams.ts';

const calls = [1, 2, 3].map((n) => asCallSid(`CA${String(n).repeat(32)}`)!);
const conference: LiveConference = {
  sid: asConferenceSid(`CF${'1'.repeat(32)}`)!,
  legs: calls.map((callSid) => ({ callSid, to: '+15005550006' })),
};

test('each leg’s stream by its name; what fails keeps none of the others running', async () => {
  const asked: string[][] = [];
  const stopped = await stopStreams(
    {
      async stopStream(call, name) {
        asked.push([call, name]);
        if (call === calls[0]) throw new Error('down');
        return call === calls[1];
      },
    },
    conference,
  );
  expect(asked).toEqual(calls.map((call) => [call, call]));
  expect(stopped).toBe(1);
});
