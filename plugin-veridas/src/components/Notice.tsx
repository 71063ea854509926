import { Alert } from '@twilio-paste/core/alert';
import { Button } from '@twilio-paste/core/button';
import { Spinner } from '@twilio-paste/core/spinner';
import { Stack } from '@twilio-paste/core/stack';
import { Text } from '@twilio-paste/core/text';
import * as React from 'react';

interface NoticeProps {
  title: string;
  children?: React.ReactNode;
  /** What can be done about it. */
  action?: { label: string; onClick: () => void } | undefined;
}

/** Something keeps the element from being there. Paste's Alert has the role `alert` and its own icon. */
export function Notice({ title, children, action }: NoticeProps): JSX.Element {
  return (
    <Alert variant="error">
      <Stack orientation="vertical" spacing="space30">
        <Text as="div" fontWeight="fontWeightSemibold">
          {title}
        </Text>
        {children ? <Text as="div">{children}</Text> : null}
        {action ? (
          <Button variant="secondary" size="small" onClick={action.onClick}>
            {action.label}
          </Button>
        ) : null}
      </Stack>
    </Alert>
  );
}

/** Something is under way. */
export function Progress({ label }: { label: string }): JSX.Element {
  return (
    <div role="status">
      <Stack orientation="horizontal" spacing="space30">
        <Spinner decorative size="sizeIcon20" />
        <Text as="span" color="colorTextWeak">
          {label}
        </Text>
      </Stack>
    </div>
  );
}
