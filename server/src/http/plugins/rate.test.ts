import { atOnce, enterAll, perMinute } from './rate.ts';

const tooMany = expect.objectContaining({ code: 'too_many_requests', status: 429, retryable: true });

describe('in a minute', () => {
  let clock = 0;
  const rate = () => perMinute(3, () => clock);

  test('each key has its own count, and a new one with each minute', () => {
    const { count } = rate();
    for (let times = 0; times < 3; times += 1) count('ada');
    expect(() => count('ada')).toThrow(tooMany);
    expect(() => count('sue')).not.toThrow();
    clock += 60_000;
    expect(() => count('ada')).not.toThrow();
  });

  test('what is taken back was never there, and never less than nothing', () => {
    const { count, takeBack } = rate();
    for (let times = 0; times < 20; times += 1) takeBack('ada');
    for (let times = 0; times < 20; times += 1) {
      count('ada');
      takeBack('ada');
    }
    for (let times = 0; times < 3; times += 1) count('ada');
    expect(() => count('ada')).toThrow(tooMany);
  });

  test('many other keys do not free one that has used up its own', () => {
    const { count } = rate();
    for (let key = 0; key < 9_000; key += 1) count(`other${key}`);
    for (let times = 0; times < 3; times += 1) count('ada');
    for (let key = 9_000; key < 12_000; key += 1) count(`other${key}`);
    expect(() => count('ada')).toThrow(tooMany);
  });
});

describe('at once', () => {
  test('who leaves makes room', () => {
    const room = atOnce(2);
    expect([room.enter('a'), room.enter('a'), room.enter('a'), room.enter('b')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    room.leave('a');
    expect([room.enter('a'), room.enter('a')]).toEqual([true, false]);
  });

  test('several limits are entered together, or none of them', () => {
    const [link, viewer] = [atOnce(2), atOnce(1)];
    const enter = () =>
      enterAll([
        { room: link, key: 'l', what: 'links' },
        { room: viewer, key: 'v', what: 'viewers' },
        { room: atOnce(0), key: undefined, what: 'nobody' },
      ]);
    const leave = enter();
    for (let times = 0; times < 5; times += 1) expect(enter).toThrow(tooMany);
    leave();
    leave();
    enter();
    expect(enter).toThrow(tooMany);
    expect([link.enter('l'), link.enter('l')]).toEqual([true, false]);
  });
});
