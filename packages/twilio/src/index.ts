export * from './api.ts';
export * from './calls-api.ts';
export * from './change-task.ts';
export * from './client.ts';
export type { TwilioConfig } from './connection.ts';
export { customersOf } from './conversations.ts';
export * from './conversations-api.ts';
export * from './event-streams.ts';
export type {
  FlexConfiguration,
  FlexConfigurationChange,
  ReleasedPlugin,
  TwilioFlexConfiguration,
  TwilioFlexPlugins,
} from './flex-configuration.ts';
export * from './flex-token.ts';
export type { AskIam, TokenFacts } from './iam.ts';
export { compactJson, editJson, jsonTextAt } from './json-edit.ts';
export * from './live-api.ts';
export type { TwilioLimits, TwilioRates } from './paces.ts';
export * from './set-paused.ts';
export * from './stop-streams.ts';
export type { TaskEventPage, TaskEventPeriod, TaskRouterEvent, TwilioTaskEvents } from './task-events.ts';
export type { TwilioTaskQueues } from './task-queues.ts';
export type { TwilioTaskState } from './task-state.ts';
export type { TaskWorker, TwilioTaskWorkers, WorkerPage } from './task-workers.ts';
export { isSignedByTwilio, signAsTwilio } from './webhook-signature.ts';
