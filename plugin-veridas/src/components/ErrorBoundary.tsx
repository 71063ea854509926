import * as React from 'react';
import { warn } from '../log';

interface Props {
  children: React.ReactNode;
  /** What is shown instead, with a way to try again. */
  otherwise: (again: () => void) => React.ReactNode;
}

/** What breaks inside, the vendor's element above all, does not take the desktop with it. */
export class ErrorBoundary extends React.Component<Props, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override componentDidCatch(error: Error): void {
    warn('stopped working', error);
  }

  override render(): React.ReactNode {
    return this.state.broken
      ? this.props.otherwise(() => this.setState({ broken: false }))
      : this.props.children;
  }
}
