import { Notifications, NotificationType } from '@twilio/flex-ui';
import type { StringKey } from '../strings/strings';

/** Flex's bar lies over the Accept button while it shows: whatever it says, a call matters more. */
const timeout = 8_000;

/** Each notification's text is the string of the same name, so that a customer's own text shows. */
const kinds = {
  FlexCustodyAlert_start: NotificationType.error,
  FlexCustodyAlert_follow: NotificationType.error,
  FlexCustodyAlert_double: NotificationType.warning,
  FlexCustodyAlert_settings: NotificationType.warning,
} satisfies Partial<Record<StringKey, NotificationType>>;

type NotificationKey = keyof typeof kinds;

export function registerNotifications(): void {
  for (const id of Object.keys(kinds) as NotificationKey[]) {
    Notifications.registerNotification({ id, content: id, type: kinds[id], closeButton: true, timeout });
  }
}

export function notify(id: NotificationKey, values?: Readonly<Record<string, string>>): void {
  Notifications.showNotification(id, values);
}
