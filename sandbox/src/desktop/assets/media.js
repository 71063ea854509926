// A silent microphone and a silent line: a call can be accepted where the browser has neither.
(() => {
  const context = new AudioContext();
  const silence = () => context.createMediaStreamDestination().stream;
  const devices = [
    { deviceId: 'default', kind: 'audioinput', label: 'Silence', groupId: 'sandbox' },
    { deviceId: 'default', kind: 'audiooutput', label: 'Silence', groupId: 'sandbox' },
  ].map((device) => ({ ...device, toJSON: () => device }));
  const media = navigator.mediaDevices ?? new EventTarget();
  Object.defineProperties(media, {
    getUserMedia: { configurable: true, value: async () => silence() },
    enumerateDevices: { configurable: true, value: async () => devices },
  });
  if (!navigator.mediaDevices) Object.defineProperty(navigator, 'mediaDevices', { value: media });

  const granted = { state: 'granted', onchange: null, addEventListener() {}, removeEventListener() {} };
  if (navigator.permissions) navigator.permissions.query = async () => granted;
  // Flex says it in its own bar and by a ring; the system's notifications are for the real desktop.
  window.Notification = class extends EventTarget {
    static permission = 'granted';
    static requestPermission = async () => 'granted';
    close() {}
  };

  /** There is no far end: every offer is accepted at once. */
  class Peer extends EventTarget {
    signalingState = 'stable';
    connectionState = 'new';
    iceConnectionState = 'new';
    iceGatheringState = 'new';
    localDescription = null;
    remoteDescription = null;
    #senders = [];
    #say(name, state, value) {
      this[state] = value;
      const event = new Event(name);
      this.dispatchEvent(event);
      this[`on${name}`]?.(event);
    }
    addTrack(track) {
      const dtmf = { insertDTMF() {}, canInsertDTMF: true };
      const sender = {
        track,
        dtmf,
        transport: null,
        async replaceTrack(next) {
          sender.track = next;
        },
      };
      this.#senders.push(sender);
      return sender;
    }
    removeTrack() {}
    getSenders() {
      return this.#senders;
    }
    getReceivers() {
      return [];
    }
    getTransceivers() {
      return [];
    }
    async createAnswer() {
      return { type: 'answer', sdp: this.remoteDescription?.sdp ?? '' };
    }
    async createOffer() {
      return { type: 'offer', sdp: '' };
    }
    async setRemoteDescription(description) {
      this.remoteDescription = description;
      this.#say('signalingstatechange', 'signalingState', 'have-remote-offer');
      const [track] = silence().getAudioTracks();
      const event = Object.assign(new Event('track'), { track, streams: [new MediaStream([track])] });
      this.ontrack?.(event);
    }
    async setLocalDescription(description) {
      this.localDescription = description;
      setTimeout(() => {
        this.#say('signalingstatechange', 'signalingState', 'stable');
        this.#say('iceconnectionstatechange', 'iceConnectionState', 'connected');
        this.#say('connectionstatechange', 'connectionState', 'connected');
      });
    }
    async addIceCandidate() {}
    async getStats() {
      const timestamp = Date.now();
      const rtp = { kind: 'audio', mediaType: 'audio', timestamp, packetsLost: 0, jitter: 0 };
      const heard = { ...rtp, id: 'in', type: 'inbound-rtp', packetsReceived: 0, bytesReceived: 0 };
      const said = { ...rtp, id: 'out', type: 'outbound-rtp', packetsSent: 0, bytesSent: 0 };
      return new Map([heard, said].map((one) => [one.id, one]));
    }
    close() {
      this.signalingState = 'closed';
    }
  }
  window.RTCPeerConnection = Peer;
  window.webkitRTCPeerConnection = Peer;
})();
