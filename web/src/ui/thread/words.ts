import type { Catalogue } from '../../i18n/en';
import type { Notice } from '../../state/contract';

/** What happened to a conversation, as one sentence seen by `me`. */
export function noticeText(notice: Notice, me: string, t: Catalogue): string {
  switch (notice.kind) {
    case 'created':
      return t.notice.created(notice.by.displayName, notice.by.id === me);
    case 'added':
    case 'removed': {
      const others = notice.people.filter((person) => person.id !== me).map((person) => person.displayName);
      const sentence = notice.kind === 'added' ? t.notice.added : t.notice.removed;
      return sentence(notice.by.displayName, notice.by.id === me, others, others.length < notice.people.length);
    }
    case 'left':
      return notice.people.some((person) => person.id === me)
        ? t.notice.youLeft
        : t.notice.left(notice.people.map((person) => person.displayName));
    case 'renamed':
      return t.notice.renamed(notice.by.displayName, notice.by.id === me, notice.name);
    case 'role': {
      const sentence = notice.role === 'owner' ? t.notice.nowOwner : t.notice.nowMember;
      return sentence(notice.person.displayName, notice.person.id === me);
    }
    case 'deviceAdded':
      return t.notice.deviceAdded(notice.person.displayName, notice.person.id === me);
    case 'deviceRemoved':
      return t.notice.deviceRemoved(notice.person.displayName, notice.person.id === me);
    case 'retention':
      return t.notice.retention(notice.by.displayName, notice.by.id === me, notice.days);
    case 'removedMeanwhile':
      return t.notice.removedMeanwhile;
    case 'historyStartsHere':
      return t.notice.historyStartsHere;
  }
}
