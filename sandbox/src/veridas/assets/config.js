/** Veridas's config.js, as its guide has it: strings. The three URLs that are not here are the Functions', which the plugin knows. */
export default {
  register: { audioTotalDuration: '3', authenticityThreshold: '0.8', modelHash: 'sandbox-model' },
  verify: { audioTotalDuration: '2', authenticityThreshold: '0.8', scoreThreshold: '0.7' },
  daspeakStreamingSignallingUrl: 'https://signalling.veridas.example',
  daspeakStreamingAudioUrl: 'wss://audio.veridas.example/twilio',
};
