/* SPDX-License-Identifier: MIT */
/*
 * What a call must do, by the contract and by what a profile changes of it. For each
 * profile the answer is one, and the model is then as the call must leave the table.
 */
#ifndef WP_PREDICT_H
#define WP_PREDICT_H

#include "deviations.h"
#include "program.h"

/* The contract alone. */
struct wp_verdict wp_predict(struct wp_model *model, const struct wp_call *call, size_t available);

/*
 * With deviations. `done`: of a region that fails, the bytes that are done nevertheless.
 * `before` is room for another model.
 */
struct wp_verdict wp_predict_as(struct wp_model *model, wp_profile profile,
                                const struct wp_call *call, size_t available,
                                struct wp_model *before, uint64_t *done);

/* The first `bytes` of a call that maps, whole pieces, done. */
struct wp_verdict wp_predict_part(struct wp_model *model, wp_profile profile,
                                  const struct wp_call *call, uint64_t bytes);

/* The leaf that a call that maps a region wants at `offset`. */
uint64_t wp_profile_piece(wp_profile profile, const struct wp_model *model,
                          const struct wp_call *call, uint64_t offset);

/* The call that an implementation that aligns down makes of this one. */
void wp_profile_align(wp_profile profile, const struct wp_model *model, struct wp_call *call);

/* Whether no call of the kind is asked for. */
bool wp_profile_never_asks(wp_profile profile, enum wp_opcode opcode);

/* Whether it isn't asked for, whatever the state of the mapping makes of it... */
bool wp_profile_leaves_out(wp_profile profile, const struct wp_model *model,
                           const struct wp_call *call);
/* ...and whether it isn't because that would be the contract's answer. */
bool wp_profile_avoids(wp_profile profile, const struct wp_call *call, pt_status status);

#endif
