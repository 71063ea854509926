import type { ITask } from '@twilio/flex-ui';
import { useEffect, useReducer } from 'react';
import type { Services, View } from '../flex/services';

/** The task's view, rendered again when it changes, and each second while a pause is counted. */
export function useView(services: Services, task: ITask | undefined): View | undefined {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const view = task && services.view(task);
  const paused = view?.status?.kind === 'paused';

  useEffect(() => {
    if (!task) return undefined;
    // Flex's store changes many times a second; what we show of it seldom does.
    const seen = () => {
      const { call, status, controls, state } = services.view(task) ?? {};
      return JSON.stringify([status, controls, state?.busy, state?.error, call?.own]);
    };
    let last = seen();
    return services.subscribe(() => {
      const next = seen();
      if (next === last) return;
      last = next;
      redraw();
    });
  }, [services, task]);

  useEffect(() => {
    if (!paused) return undefined;
    const timer = window.setInterval(redraw, 1000);
    return () => window.clearInterval(timer);
  }, [paused]);

  return view;
}
