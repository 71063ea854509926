import { type ThemeProps, withTheme } from '@twilio/flex-ui';
import { DarkTheme, DefaultTheme } from '@twilio-paste/core/theme';
import { ThemeProvider } from '@twilio-paste/styling-library';
import * as React from 'react';

interface Props extends ThemeProps {
  children?: React.ReactNode;
}

type Group = Readonly<Record<string, unknown>>;

/**
 * The desktop's theme for Paste's components within. Paste's own provider would set styles for the whole page, and Flex's
 * `setProviders` belongs to whichever plugin calls it last.
 */
function Provider({ theme, children }: Props): JSX.Element {
  const themed = React.useMemo(() => {
    const base = theme?.isLight === false ? DarkTheme : DefaultTheme;
    const tokens: Readonly<Record<string, Group | undefined>> = { ...theme?.tokens };
    return {
      ...base,
      // The customer's colours, where they have changed Flex's.
      backgroundColors: { ...base.backgroundColors, ...tokens['backgroundColors'] },
      borderColors: { ...base.borderColors, ...tokens['borderColors'] },
      textColors: { ...base.textColors, ...tokens['textColors'] },
    };
  }, [theme]);
  return <ThemeProvider theme={themed}>{children}</ThemeProvider>;
}

export const PasteTheme = withTheme(Provider);
