/** Another change has this number. */
export const reserved = 'SELECT 1;';
