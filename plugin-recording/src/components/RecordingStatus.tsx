import { type ITask, type ThemeProps, withTheme } from '@twilio/flex-ui';
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

interface Props extends ThemeProps {
  services: Services;
  /** Handed in by Flex, as to every child of its header. */
  task?: ITask;
}

/** In the header of each live call: whether it is recorded, in words and by a sign, for those who see it and who hear it. */
function StatusLine({ services, task, theme }: Props) {
  const status = useView(services, task)?.status;
  if (!status) return null;
  const why = status.kind === 'not-recorded' ? services.text(whyKey(status.reason)) : undefined;
  return (
    <div
      style={{
        display: 'flex',
        alignItems: 'center',
        alignSelf: 'center',
        flexShrink: 0,
        columnGap: 6,
        margin: '0 8px',
        // The header is narrow: two short lines leave the caller's number its place.
        maxWidth: 104,
        fontSize: 12,
        fontWeight: 600,
        lineHeight: '16px',
      }}
      data-testid="flex-custody-status"
      data-status={status.kind}
      title={why}
    >
      <span style={{ display: 'flex', flexShrink: 0, color: colorOf(status, theme) }}>
        <StatusIcon kind={status.kind} />
      </span>
      <span>
        {/* Said once for each change; the seconds are no change. */}
        <span role="status" aria-live="polite">
          {services.text(labels[status.kind])}
        </span>
        {status.kind === 'paused' && (
          <>
            {' '}
            <span
              role="timer"
              aria-live="off"
              aria-label={services.text('FlexCustodyPausedFor', { time: elapsed(Date.now() - status.since) })}
              style={{ fontVariantNumeric: 'tabular-nums' }}
              data-testid="flex-custody-paused-for"
            >
              {elapsed(Date.now() - status.since)}
            </span>
          </>
        )}
      </span>
    </div>
  );
}

/** Beside the shape and the words, never instead of them. */
function colorOf(status: Status, theme: Props['theme']): string | undefined {
  const colors = theme?.tokens?.textColors;
  if (status.kind === 'recording') return colors?.colorTextError;
  return status.kind === 'paused' ? colors?.colorTextWarningStrong : undefined;
}

export const RecordingStatus = withTheme(StatusLine);
