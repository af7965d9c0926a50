/** Screens of their own chunk. Each is one function for good, so that a screen is not made anew when something around it changes. */
export const later = {
  receipt: () => import('../receipt/ReceiptPane.svelte'),
  receipts: () => import('../receipt/ReceiptsPane.svelte'),
  holds: () => import('../wallet/HoldsPane.svelte'),
  limits: () => import('../wallet/LimitsPane.svelte'),
  activity: () => import('../wallet/ActivityView.svelte'),
};
