import { asReservationSid, asTaskSid } from '@flex-custody/core';
import { Text } from '@twilio-paste/core/text';
import * as React from 'react';
import { conferenceOf, customerLeg, isCallPaused } from '../call/parameters';
import type { ConfigReading } from '../config/veridas-config';
import type { PanelDeps } from '../panel-deps';
import type { Vendor } from '../vendor/load';
import { ConsentGate } from './ConsentGate';
import { type CallPanelProps, LiveElement } from './LiveElement';
import { Notice, Progress } from './Notice';
import { useVendor } from './useVendor';

/** From nothing to the vendor's element, one condition after the other: files, configuration, a customer, consent. */
export function VoicePanel({ deps, task, stored, live }: CallPanelProps): JSX.Element {
  const { text } = deps;
  const { load, again } = useVendor(deps);
  const retry = { label: text('FlexCustodyVoiceRetry'), onClick: again };
  if (!load) return <Progress label={text('FlexCustodyVoiceLoading')} />;
  if (load.kind === 'missing') {
    return (
      <Notice title={text('FlexCustodyVoiceMissingTitle')}>
        {text('FlexCustodyVoiceMissing', { files: load.files.join(', ') })}
      </Notice>
    );
  }
  if (load.kind === 'failed') {
    return (
      <Notice title={text('FlexCustodyVoiceFailedTitle')} action={retry}>
        {text('FlexCustodyVoiceFailed', { file: load.file })}
      </Notice>
    );
  }
  return <Ready deps={deps} task={task} stored={stored} live={live} vendor={load.vendor} />;
}

function Ready({ deps, task, stored, live, vendor }: CallPanelProps & { vendor: Vendor }): JSX.Element {
  const reading = React.useMemo(() => deps.config(vendor), [deps, vendor]);
  const taskSid = asTaskSid(task.taskSid);
  const callSid = customerLeg(task, stored);
  if (!reading.ok) return <Problems deps={deps} problems={reading.problems} />;
  if (!taskSid || !callSid) return <Progress label={deps.text('FlexCustodyVoiceWaiting')} />;
  const of = {
    taskSid,
    callSid,
    reservationSid: asReservationSid(task.sid),
    conferenceSid: conferenceOf(task, stored),
  };
  return (
    <ConsentGate deps={deps} of={of} live={live}>
      {isCallPaused(task) && (
        <div role="status">
          <Text as="p">{deps.text('FlexCustodyVoicePaused')}</Text>
        </div>
      )}
      <LiveElement
        deps={deps}
        task={task}
        stored={stored}
        live={live}
        config={reading.config}
        utils={vendor.utils}
      />
    </ConsentGate>
  );
}

/** Which settings are wrong is for who can set them right. */
function Problems({
  deps,
  problems,
}: {
  deps: PanelDeps;
  problems: Extract<ConfigReading, { ok: false }>['problems'];
}): JSX.Element {
  const { text } = deps;
  return (
    <Notice title={text('FlexCustodyVoiceSettingsTitle')}>
      {deps.isAdmin() ? (
        <ul style={{ margin: 0, paddingLeft: '1.2em' }}>
          {problems.map(({ path, must }) => (
            <li key={path}>{text('FlexCustodyVoiceProblem', { path, must })}</li>
          ))}
        </ul>
      ) : (
        text('FlexCustodyVoiceSettings')
      )}
    </Notice>
  );
}
