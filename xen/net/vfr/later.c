/* SPDX-License-Identifier: BSD-2-Clause */
/* Stages that are on their way. */
#include <vfr/priv.h>
int vfr_nat_out(struct ctx *c, struct vfr_pkt *p, struct way *w) { return 0; }
int vfr_nat_in(struct ctx *c, struct vfr_pkt *p, struct way *w) { return 0; }
void vfr_nat_addresses(struct vfr_pkt *p, uint32_t s, uint32_t d) { }
void vfr_nat_age(struct ctx *c, uint64_t *next) { }
void vfr_nat_drop_dom(struct vfr *v, uint16_t slot) { }
int vfr_nat_init(struct vfr *v) { return 0; }
void vfr_nat_destroy(struct vfr *v) { }
int vfr_dhcp(struct ctx *c, struct vfr_pkt *p, struct way *w) { return 0; }
int vfr_nd(struct ctx *c, struct vfr_pkt *p, bool *handled) { return 0; }
void vfr_nd_ask(struct ctx *c, const struct vfr_port *out, const uint8_t *mac, const uint8_t target[16]) { }
void vfr_ra_timer(struct ctx *c, uint64_t *next) { }
