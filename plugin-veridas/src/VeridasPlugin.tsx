import { readFlexSettings, type SettingProblem } from '@flex-custody/core';
import { FlexPlugin } from '@twilio/flex-plugin';
import type * as Flex from '@twilio/flex-ui';
import * as React from 'react';
import { VoiceRegion } from './components/VoiceRegion';
import { warn } from './log';
import { createPanelDeps, type PanelDeps } from './panel-deps';
import { strings } from './strings/strings';

const alertId = 'flex-custody-voice-settings';

export class VeridasPlugin extends FlexPlugin {
  constructor() {
    super('plugin-veridas');
  }

  async init(flex: typeof Flex, manager: Flex.Manager): Promise<void> {
    const attributes: Readonly<Record<string, unknown>> = { ...manager.serviceConfiguration.ui_attributes };
    const { settings, problems } = readFlexSettings(attributes['flex_custody']);
    if (!settings.veridas.enabled) return;
    manager.strings = { ...strings, ...manager.strings };
    const deps = createPanelDeps(manager, settings);
    flex.CallCanvas.Content.add(<VoiceRegion key="flex-custody-voice" deps={deps} />, { sortOrder: 1 });
    flex.Notifications.registerNotification({
      id: alertId,
      type: flex.NotificationType.error,
      content: 'FlexCustodyVoiceAlert',
    });
    void nameProblems(flex, deps, problems);
  }
}

/** What is wrong is named in the console, and to who can set it right, before the first call. */
async function nameProblems(
  flex: typeof Flex,
  deps: PanelDeps,
  found: readonly SettingProblem[],
): Promise<void> {
  const own = found.filter(({ path }) => path.startsWith('veridas.'));
  const load = await deps.vendor();
  const reading = load.kind === 'ready' ? deps.config(load.vendor) : undefined;
  const problems = [...own, ...(reading && !reading.ok ? reading.problems : [])];
  if (load.kind === 'missing') problems.push({ path: load.files.join(', '), must: 'be there' });
  for (const { path, must } of problems) warn(`${path} must ${must}`);
  if (problems.length === 0 || !deps.isAdmin()) return;
  flex.Notifications.showNotification(alertId, {
    problems: problems
      .map(({ path, must }) => deps.text('FlexCustodyVoiceProblem', { path, must }))
      .join('; '),
  });
}
