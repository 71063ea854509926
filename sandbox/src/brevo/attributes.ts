import { BrevoRefusal, invalid, unknown } from './refusal.ts';
import type { BrevoSettings } from './settings.ts';

export type AttributeValue = string | number | boolean | readonly string[];
export const attributeTypes = [
  'text',
  'date',
  'float',
  'boolean',
  'id',
  'category',
  'multiple-choice',
  'user',
];
export const attributeCategories = ['normal', 'transactional', 'category', 'calculated', 'global'];

export interface Attribute {
  name: string;
  category: string;
  type: string;
}

/** Attributes that a new account has. */
const usual: readonly Attribute[] = [
  { name: 'FIRSTNAME', category: 'normal', type: 'text' },
  { name: 'LASTNAME', category: 'normal', type: 'text' },
  { name: 'SMS', category: 'normal', type: 'text' },
  { name: 'EXT_ID', category: 'normal', type: 'text' },
  { name: 'WHATSAPP', category: 'normal', type: 'text' },
  { name: 'LANDLINE_NUMBER', category: 'normal', type: 'text' },
  { name: 'BLACKLIST', category: 'calculated', type: 'float' },
];

export interface Attributes {
  list(): readonly Attribute[];
  create(attribute: Attribute): void;
  remove(name: string): void;
  /**
   * What Brevo keeps of a value: undefined where it ignores it, '' where it empties the attribute.
   * @throws BrevoRefusal 400 for an unknown attribute, where the settings say so
   */
  kept(name: string, value: unknown): AttributeValue | undefined;
  clear(): void;
}

export function createAttributes(settings: BrevoSettings): Attributes {
  const all = new Map(usual.map((one) => [one.name, one]));
  return {
    list: () => [...all.values()],
    create(attribute) {
      const name = attribute.name.toUpperCase();
      if (!/^[A-Z0-9_]{1,50}$/.test(name)) throw invalid('Attribute name is not valid');
      if (!attributeCategories.includes(attribute.category)) throw invalid('Attribute category is not valid');
      if (!attributeTypes.includes(attribute.type)) throw invalid('Attribute type is not valid');
      if (all.has(name)) throw new BrevoRefusal(400, 'duplicate_parameter', 'Attribute name must be unique');
      all.set(name, { ...attribute, name });
    },
    remove(name) {
      if (!all.delete(name)) throw unknown('Attribute does not exist');
    },
    kept(name, value) {
      const attribute = all.get(name);
      if (attribute?.category === 'normal' || attribute?.category === 'category')
        return value === '' ? '' : fitting(attribute.type, value);
      if (settings.unknownAttributes === 'refuse') throw invalid(`Attribute ${name} does not exist`);
      return undefined;
    },
    clear() {
      all.clear();
      for (const one of usual) all.set(one.name, one);
    },
  };
}

/** A value of another type than the attribute's is ignored without a word. */
function fitting(type: string, value: unknown): AttributeValue | undefined {
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'float':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    case 'date':
      return typeof value === 'string' && isDate(value) ? value : undefined;
    case 'multiple-choice':
      return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
    default:
      return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  }
}

const isDate = (text: string) => /^\d{4}-\d{2}-\d{2}(T.+)?$/.test(text) && !Number.isNaN(Date.parse(text));
