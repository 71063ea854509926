import type { WebSocket } from 'ws';
import { type DesktopDeps, jsonOf, type SocketEnd, textOf } from './hub.ts';
import type { Seat } from './session.ts';

export interface Voice {
  socket: SocketEnd;
  close(): void;
}

/** The page's own peer (assets/media.js) takes any description: no sound travels. */
const silence = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 127.0.0.1',
  'a=rtpmap:111 opus/48000/2',
  'a=mid:0',
  'a=sendrecv',
  '',
].join('\r\n');

/** Signalling of the Voice SDK: a registered browser is called when its worker's leg begins, and can hang up. */
export function createVoice({ world, exchange, seats }: DesktopDeps): Voice {
  const devices = new Map<WebSocket, Seat>();
  const ringing = new Set<string>();

  const send = (socket: WebSocket, type: string, payload: Record<string, unknown>) =>
    socket.send(JSON.stringify({ type, version: '1.6', payload }));
  const eachOf = (workerSid: string | undefined, tell: (socket: WebSocket) => void) => {
    for (const [socket, seat] of devices) if (seat.worker.sid === workerSid) tell(socket);
  };

  const invite = (socket: WebSocket, callSid: string) => {
    const call = world.calls.get(callSid);
    if (!call) return;
    const { accountSid } = world.account;
    const parameters = {
      CallSid: callSid,
      From: call.from,
      To: call.to,
      AccountSid: accountSid,
      ApiVersion: '2010-04-01',
    };
    send(socket, 'invite', { callsid: callSid, sdp: silence, parameters });
  };

  const participantOf = (callSid: string) => {
    for (const { participants } of world.conferences.values()) {
      const found = participants.find((one) => one.callSid === callSid);
      if (found) return found;
    }
    return undefined;
  };

  const stop = exchange.on((event) => {
    if (event.of !== 'leg') return;
    const participant = participantOf(event.callSid);
    if (participant?.workerSid === undefined) return;
    if (participant.status === 'connected' && !ringing.has(event.callSid)) {
      ringing.add(event.callSid);
      eachOf(participant.workerSid, (socket) => invite(socket, event.callSid));
    }
    if (participant.status === 'complete' && ringing.delete(event.callSid))
      eachOf(participant.workerSid, (socket) => send(socket, 'hangup', { callsid: event.callSid }));
  });

  const hangUp = (callSid: string) => {
    const participant = participantOf(callSid);
    const reservation = world.reservations.get(participant?.reservationSid ?? '');
    if (participant?.status === 'connected' && reservation?.status === 'accepted') {
      if (!exchange.isHangUpLost(reservation)) exchange.hangUp(reservation);
    } else if (participant?.supervises && participant.status === 'connected')
      exchange.leave(taskOf(callSid), callSid);
  };
  const taskOf = (callSid: string) =>
    [...world.conferences.values()].find(({ participants }) =>
      participants.some((one) => one.callSid === callSid),
    )?.friendlyName ?? '';

  // A line without a word for 15 s is closed by the SDK.
  const beat = setInterval(() => {
    for (const socket of devices.keys()) socket.send('\n');
  }, 5_000);
  beat.unref();

  return {
    socket(socket) {
      socket.on('close', () => devices.delete(socket));
      socket.on('message', (data) => {
        const text = textOf(data);
        if (text.trim() === '') return;
        for (const line of text.split('\n')) {
          const message = jsonOf(line);
          const payload = (message?.['payload'] ?? {}) as Record<string, unknown>;
          if (message?.['type'] === 'listen') {
            const seat = seats.byToken(String(payload['token']));
            if (seat) devices.set(socket, seat);
            send(socket, 'connected', {
              token: 'sandbox',
              region: 'us1',
              home: 'us1',
              gateway: 'sandbox',
              edge: 'ashburn',
            });
          } else if (message?.['type'] === 'register') {
            send(socket, 'ready', {});
          } else if (message?.['type'] === 'hangup' || message?.['type'] === 'reject') {
            hangUp(String(payload['callsid']));
          }
        }
      });
    },
    close() {
      stop();
      clearInterval(beat);
      for (const socket of devices.keys()) socket.terminate();
    },
  };
}
