import { type Manager, Notifications, NotificationType } from '@twilio/flex-ui';
import type { StringKey } from '../strings/strings';
import { withOurs } from '../strings/text';

/** Ms. Flex's notification bar covers the Accept button while it shows, and a call matters more than any notification. */
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

export function notify(
  manager: Manager,
  id: NotificationKey,
  values?: Readonly<Record<string, string>>,
): void {
  // Flex drops what plugins added to its strings when the language changes.
  if (!(id in manager.strings)) manager.strings = withOurs(manager.strings);
  Notifications.showNotification(id, values);
}
