import { sandbox } from './api.js';
import { byId, bytes, h } from './dom.js';
import { waveform } from './waveform.js';

const listeners = [
  ['none', 'without a token'],
  ['another', 'another agent'],
  ['own', 'the call’s own agent'],
  ['supervisor', 'supervisor'],
  ['admin', 'admin'],
];
const insights = [
  'full_access',
  'team_leader',
  'data_analyst',
  'data_auditor',
  'quality_manager',
  'dashboard_viewer',
  'quality_process_manager',
];
/** The host answers with a code, and its log has the rest. This is what each code means to a listener. */
const reasons = {
  token_missing: 'the request has no Flex token.',
  token_malformed: 'this is not a Flex token.',
  token_refused: 'Twilio does not accept this token.',
  play_forbidden: 'this user may not play this recording.',
  iam_unavailable: 'Twilio’s token check does not answer. Try again.',
  audit_unavailable: 'the audit log cannot be written now, so nothing is played.',
  recording_absent: 'Twilio has no audio of this call.',
};
/** Bytes. To draw more, a browser would keep the decoded audio of hours in memory. */
const drawnUpTo = 80e6;

/** The part of the page that plays a recording the way the Flex Insights player does. */
export class Listening {
  #hostUrl;
  #target;
  #ended = new AbortController();
  #log = [];

  constructor(hostUrl) {
    this.#hostUrl = hostUrl;
    const form = byId('listeners');
    form.append(
      choice('Who', listeners),
      choice(
        'A supervisor with the Insights role',
        insights.map((role) => [`wfo.${role}`, role.replaceAll('_', ' ')]),
      ),
      h(
        'p',
        { className: 'hint' },
        'Agents may play their own calls here. On your host the setting CUSTODY_AGENTS_MAY_PLAY_OWN allows that; by default no agent may play any.',
      ),
      h('button', { type: 'submit', className: 'primary' }, 'Play'),
    );
    form.elements.listener.value = 'supervisor';
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#listen(form.elements.listener.value);
    });
  }

  /** @param {{recording: string, worker?: string, otherWorker?: string} | undefined} target */
  choose(target) {
    if (target?.recording === this.#target?.recording) {
      this.#target = target;
      return;
    }
    this.#target = target;
    this.#clear();
    byId('listen').hidden = target === undefined;
  }

  #clear() {
    this.#ended.abort();
    this.#ended = new AbortController();
    this.#log = [];
    byId('player').querySelector('audio')?.removeAttribute('src');
    for (const part of ['answer', 'player', 'requests']) byId(part).replaceChildren();
  }

  async #listen(listener) {
    this.#clear();
    const { signal } = this.#ended;
    const target = this.#target;
    try {
      const authorization = await authorizationOf(listener, target);
      const ask = () => this.#askProvider(target.recording, authorization, signal);
      say('waiting', 'Asking the host …');
      const answer = await ask();
      if (answer) await this.#play(answer, ask, target.recording, signal);
    } catch (error) {
      if (!signal.aborted) say('bad', error.message);
    }
  }

  /** One request to `url_provider`, as Flex Insights makes it; undefined and an explanation when it is refused. */
  async #askProvider(recording, authorization, signal) {
    const url = `${this.#hostUrl}/url-provider?recording=${recording}`;
    let response;
    try {
      response = await fetch(url, { signal, headers: authorization ? { authorization } : {} });
    } catch (error) {
      if (signal.aborted) throw error;
      this.#note('url_provider', 'no answer', 'host down, or preflight refused');
      throw new Error(`The host at ${this.#hostUrl} does not answer, or does not let this page ask.`);
    }
    const body = await response.json().catch(() => ({}));
    const how = authorization ? `with CORS preflight, ${bytes(authorization.length)} token` : 'no token';
    this.#note('url_provider', response.status, how);
    if (signal.aborted) return undefined;
    if (response.ok) return new URL(body.media_url);
    const reason = reasons[body.error] ?? body.error ?? 'no reason given';
    const what = response.status < 500 ? 'Refused with' : 'The host could not answer:';
    say('bad', `${what} ${response.status}: ${reason}`);
    return undefined;
  }

  async #play(url, ask, recording, signal) {
    const expires = Number(url.searchParams.get('X-Amz-Expires'));
    const life = expires % 60 === 0 ? `${expires / 60} minutes` : `${expires} seconds`;
    const lasts = expires > 0 ? ` The link is valid for ${life} and renews itself.` : '';
    say('good', `Allowed.${lasts}`);
    const audio = h('audio', { controls: true, preload: 'metadata', src: url.href });
    const drawing = h(
      'div',
      { className: 'drawing' },
      h('p', { className: 'empty' }, 'Fetching the whole recording to draw it …'),
    );
    const proof = h('p', { className: 'proof', role: 'status' });
    byId('player').replaceChildren(drawing, audio, proof);
    audio.addEventListener('error', () => {
      if (!signal.aborted) say('bad', 'The recording cannot be played: the browser could not read it.');
    });
    if (expires > 0) this.#renew(audio, ask, expires, signal);
    const whole = await this.#fetchWhole(url, signal);
    const digest = await sha256(whole);
    const held = JSON.stringify(await sandbox.recording(recording));
    proof.dataset.state = held.includes(digest) ? 'good' : 'bad';
    proof.textContent = held.includes(digest)
      ? `${bytes(whole.byteLength)}, identical to Twilio’s original (SHA-256 ${digest.slice(0, 12)}…).`
      : `${bytes(whole.byteLength)}, different from Twilio’s original (SHA-256 ${digest.slice(0, 12)}…).`;
    audio.addEventListener('seeked', () => this.#proveSeek(audio, url, whole, signal));
    if (whole.byteLength > drawnUpTo) {
      drawing.replaceChildren(h('p', { className: 'empty' }, 'Too long to draw. Playing and seeking work.'));
      return;
    }
    const decoder = new OfflineAudioContext(1, 1, 8000);
    drawing.replaceChildren(waveform(audio, await decoder.decodeAudioData(whole.slice(0))));
  }

  async #fetchWhole(url, signal) {
    const response = await fetch(url, { mode: 'cors', credentials: 'same-origin', signal });
    if (!response.ok) {
      this.#note('media, full download', response.status, 'refused');
      throw new Error(`The recording was refused with ${response.status}.`);
    }
    const whole = await response.arrayBuffer();
    this.#note('media, full download', response.status, bytes(whole.byteLength));
    return whole;
  }

  /** The audio element's own requests cannot be seen from a page: the same range is fetched here and compared. */
  async #proveSeek(audio, url, whole, signal) {
    if (signal.aborted || !Number.isFinite(audio.duration)) return;
    const start = Math.min(
      Math.floor((audio.currentTime / audio.duration) * whole.byteLength),
      whole.byteLength - 1,
    );
    const end = Math.min(start + 65535, whole.byteLength - 1);
    const source = new URL(audio.src || url);
    try {
      const response = await fetch(source, { signal, headers: { range: `bytes=${start}-${end}` } });
      const part = new Uint8Array(await response.arrayBuffer());
      const expected = new Uint8Array(whole, start, end - start + 1);
      const same = part.length === expected.length && part.every((octet, at) => octet === expected[at]);
      const result = same ? 'same bytes' : 'different bytes';
      this.#note(
        `media, seek to ${audio.currentTime.toFixed(1)} s`,
        response.status,
        `${start}–${end}, ${result}`,
      );
    } catch {
      if (!signal.aborted) this.#note('media, seek', 'no answer', `${start}–${end}`);
    }
  }

  /** At nine tenths of the link's life the player gets a new one, and keeps its position. */
  #renew(audio, ask, seconds, signal) {
    const timer = setTimeout(async () => {
      const fresh = await ask().catch(() => undefined);
      if (!fresh || signal.aborted) return;
      const { currentTime, paused, playbackRate } = audio;
      audio.src = fresh.href;
      audio.addEventListener(
        'canplay',
        () => {
          audio.currentTime = currentTime;
          audio.playbackRate = playbackRate;
          if (!paused) audio.play().catch(() => undefined);
        },
        { once: true },
      );
      audio.load();
      this.#renew(audio, ask, Number(fresh.searchParams.get('X-Amz-Expires')) || seconds, signal);
    }, seconds * 900);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  #note(what, status, detail) {
    this.#log.push({ what, status, detail });
    byId('requests').replaceChildren(
      h(
        'table',
        { className: 'requests' },
        h('caption', {}, 'Requests to the host'),
        h(
          'tbody',
          {},
          this.#log
            .slice(-12)
            .map((line) =>
              h(
                'tr',
                {},
                h(
                  'td',
                  {},
                  h(
                    'span',
                    { className: line.status < 400 ? 'badge good' : 'badge bad' },
                    String(line.status),
                  ),
                ),
                h('th', { scope: 'row' }, line.what),
                h('td', {}, line.detail),
              ),
            ),
        ),
      ),
    );
  }
}

function choice(legend, options) {
  return h(
    'fieldset',
    { className: 'choices' },
    h('legend', {}, legend),
    options.map(([value, label]) =>
      h('label', {}, h('input', { type: 'radio', name: 'listener', value }), h('span', {}, label)),
    ),
  );
}

async function authorizationOf(listener, target) {
  if (listener === 'none') return undefined;
  const agents = { own: target.worker, another: target.otherWorker };
  if (listener in agents && !agents[listener]) throw new Error('There is no such agent for this recording.');
  const roles = { own: ['agent'], another: ['agent'], supervisor: ['supervisor'], admin: ['admin'] }[
    listener
  ];
  const { token } = await sandbox.token({
    roles: roles ?? ['supervisor', listener],
    worker_sid: agents[listener],
  });
  return `Basic ${btoa(`token:${token}`)}`;
}

function say(state, text) {
  byId('answer').replaceChildren(h('p', { className: 'answer', 'data-state': state }, text));
}

async function sha256(buffer) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', buffer));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
