import { h } from './dom.js';

const rowHeight = 56;

/**
 * The two speakers of a recording, drawn from its decoded audio; a click or an arrow key seeks the audio element.
 * @param {HTMLAudioElement} audio
 * @param {AudioBuffer} decoded
 */
export function waveform(audio, decoded) {
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, index) =>
    decoded.getChannelData(index),
  );
  const names = channels.length === 2 ? ['customer', 'agent'] : ['both'];
  const canvas = h('canvas', {
    className: 'waveform',
    tabIndex: 0,
    role: 'slider',
    ariaLabel: 'Position in the recording, in seconds',
    ariaValueMin: '0',
    ariaValueMax: String(Math.round(decoded.duration)),
  });
  const seek = (seconds) => {
    audio.currentTime = Math.min(Math.max(0, seconds), decoded.duration);
  };
  const draw = () => paint(canvas, channels, audio.currentTime / decoded.duration);
  canvas.addEventListener('click', (event) => seek((event.offsetX / canvas.clientWidth) * decoded.duration));
  canvas.addEventListener('keydown', (event) => {
    const step = {
      ArrowRight: 5,
      ArrowLeft: -5,
      PageUp: 30,
      PageDown: -30,
      Home: -Infinity,
      End: Infinity,
    }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    seek(audio.currentTime + step);
  });
  for (const moved of ['timeupdate', 'seeked']) {
    audio.addEventListener(moved, () => {
      canvas.ariaValueNow = String(Math.round(audio.currentTime));
      draw();
    });
  }
  new ResizeObserver(draw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  const labels = names.map((name, index) => h('span', { className: `speaker speaker-${index}` }, name));
  return h(
    'div',
    { className: 'waveform-box', 'data-rows': names.length },
    h('div', { className: 'speakers' }, labels),
    canvas,
  );
}

function paint(canvas, channels, played) {
  const scale = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  if (width === 0) return;
  canvas.width = width * scale;
  canvas.height = rowHeight * channels.length * scale;
  const context = canvas.getContext('2d');
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name);
  context.scale(scale, scale);
  channels.forEach((samples, row) => {
    const middle = rowHeight * (row + 0.5);
    const bars = peaks(samples, Math.floor(width / 3));
    const loudest = Math.max(...bars) || 1;
    bars.forEach((bar, index) => {
      const height = Math.max(1, (bar / loudest) * (rowHeight - 10));
      context.fillStyle = index / bars.length <= played ? colour(`--speaker-${row}`) : colour('--unplayed');
      context.fillRect(index * 3, middle - height / 2, 2, height);
    });
  });
  context.fillStyle = colour('--ink');
  context.fillRect(Math.min(width - 1, played * width), 0, 1, rowHeight * channels.length);
}

const drawn = new WeakMap();

/** The loudest sample of each of `count` stretches, worked out once for a width: it is asked at every step of the playhead. */
function peaks(samples, count) {
  const known = drawn.get(samples);
  if (known?.length === count) return known;
  const bars = Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar / count) * samples.length);
    const to = Math.floor(((bar + 1) / count) * samples.length);
    // Long stretches are looked at in steps, which a bar two pixels wide does not show.
    const step = Math.max(1, Math.floor((to - from) / 400));
    let loudest = 0;
    for (let at = from; at < to; at += step) loudest = Math.max(loudest, Math.abs(samples[at]));
    return loudest;
  });
  drawn.set(samples, bars);
  return bars;
}
