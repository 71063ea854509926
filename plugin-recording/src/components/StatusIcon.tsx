import * as React from 'react';
import type { Status } from '../state/status';

const shapes: Readonly<Record<Status['kind'], React.ReactElement>> = {
  starting: (
    <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="4 3" />
  ),
  recording: <circle cx="8" cy="8" r="6" fill="currentColor" />,
  paused: <path d="M3 2h4v12H3zM9 2h4v12H9z" fill="currentColor" />,
  'not-recorded': (
    <path
      d="M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.5 12.5l9-9"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
    />
  ),
};

/** A sign for each status that differs in shape, not in colour alone. The words stand beside it. */
export function StatusIcon({ kind }: { kind: Status['kind'] }) {
  return (
    <svg width="12" height="12" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {shapes[kind]}
    </svg>
  );
}
