import type { ITask } from '@twilio/flex-ui';
import { Box } from '@twilio-paste/core/box';
import * as React from 'react';
import type { Services } from '../flex/services';
import type { Status } from '../state/status';
import { type StringKey, whyKey } from '../strings/strings';
import { elapsed } from '../strings/text';
import { StatusIcon } from './StatusIcon';
import { useView } from './useView';

const labels: Readonly<Record<Status['kind'], StringKey>> = {
  starting: 'FlexCustodyStarting',
  recording: 'FlexCustodyRecording',
  paused: 'FlexCustodyPaused',
  'not-recorded': 'FlexCustodyNotRecorded',
};

/** In the header of each live call: whether it is recorded, in words and by a sign, for those who see it and who hear it. */
export function RecordingStatus({ services, task }: { services: Services; task?: ITask }) {
  const status = useView(services, task)?.status;
  if (!status) return null;
  const why = status.kind === 'not-recorded' ? services.text(whyKey(status.reason)) : undefined;
  return (
    <Box
      display="inline-flex"
      alignItems="center"
      columnGap="space20"
      fontSize="fontSize20"
      lineHeight="lineHeight20"
      fontWeight="fontWeightSemibold"
      color={status.kind === 'recording' ? 'colorTextError' : 'colorText'}
      whiteSpace="nowrap"
      data-testid="flex-custody-status"
      data-status={status.kind}
      title={why}
    >
      <StatusIcon kind={status.kind} />
      {/* Said once for each change; the seconds are no change. */}
      <span role="status" aria-live="polite" aria-label={services.text('FlexCustodyStatusLabel')}>
        {services.text(labels[status.kind])}
      </span>
      {status.kind === 'paused' && (
        <span role="timer" aria-live="off" data-testid="flex-custody-paused-for">
          {elapsed(Date.now() - status.since)}
        </span>
      )}
    </Box>
  );
}
