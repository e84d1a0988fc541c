"""Typical wrong answers to the assignment on decisions, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("decide", told="The rows are swapped")
def rows_swapped(probabilities, costs):
    risks = np.column_stack([probabilities, 1 - probabilities]) @ costs
    return np.argmin(risks, axis=1), risks.min(axis=1).mean()


@wrong_answer("decide", told="Of equally cheap actions the first")
def last_of_the_cheapest(probabilities, costs):
    actions, paid = [], []
    for p in probabilities:
        lowest, chosen = np.inf, None
        for action, (if_0, if_1) in enumerate(costs.T):
            risk = (1 - p) * if_0 + p * if_1
            if risk <= lowest:
                lowest, chosen = risk, action
        actions.append(chosen)
        paid.append(lowest)
    return np.array(actions), np.mean(paid)


@wrong_answer("decide", told="Only the first two actions")
def two_actions(probabilities, costs):
    wait, alarm = (np.outer(1 - probabilities, costs[0]) + np.outer(probabilities, costs[1])).T[:2]
    return (alarm < wait).astype(int), np.minimum(wait, alarm).mean()


@wrong_answer("decide", told="You return the likelier class")
def threshold_of_one_half(probabilities, costs):
    actions = (probabilities > 0.5) * 1
    paid = (1 - probabilities) * costs[0, actions] + probabilities * costs[1, actions]
    return actions, paid.mean()


@wrong_answer("decide", told="You decide for the likelier class first")
def cheapest_for_the_likelier_class(probabilities, costs):
    actions = costs.argmin(axis=1)[(probabilities > 0.5) * 1]
    paid = (1 - probabilities) * costs[0, actions] + probabilities * costs[1, actions]
    return actions, paid.mean()


@wrong_answer("decide", told="You return the total of the costs")
def total_cost(probabilities, costs):
    risks = np.column_stack([1 - probabilities, probabilities]) @ costs
    return risks.argmin(axis=1), risks.min(axis=1).sum()


@wrong_answer("weighted_cross_entropy", told="You divide by the number of examples")
def mean_over_the_examples(scores, labels, weights):
    rows = np.arange(len(labels))
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    error = np.exp(logs)
    error[rows, labels] -= 1
    of_rows = weights[labels]
    return -np.mean(of_rows * logs[rows, labels]), of_rows[:, None] * error / len(labels)


@wrong_answer("weighted_cross_entropy", told="You add up one weight for each class")
def sum_over_the_classes(scores, labels, weights):
    rows = np.arange(len(labels))
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    error = np.exp(logs)
    error[rows, labels] -= 1
    of_rows = weights[labels] / weights.sum()
    return -np.sum(of_rows * logs[rows, labels]), of_rows[:, None] * error


@wrong_answer("weighted_cross_entropy", told="The weights are missing in the gradient")
def gradient_without_weights(scores, labels, weights):
    rows = np.arange(len(labels))
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    error = np.exp(logs)
    error[rows, labels] -= 1
    return -np.average(logs[rows, labels], weights=weights[labels]), error / len(labels)


@wrong_answer("weighted_cross_entropy", told="the weight multiplies the label alone")
def weight_on_the_label(scores, labels, weights):
    rows = np.arange(len(labels))
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    error = np.exp(logs)
    error[rows, labels] -= weights[labels]
    total = weights[labels].sum()
    return -np.average(logs[rows, labels], weights=weights[labels]), error / total


@wrong_answer("weighted_cross_entropy", told="Softmax is along the classes")
def softmax_of_columns(scores, labels, weights):
    rows, shifted = np.arange(len(labels)), scores - scores.max(axis=0)
    logs = shifted - np.log(np.exp(shifted).sum(axis=0))
    error = np.exp(logs)
    error[rows, labels] -= 1
    share = weights[labels] / weights[labels].sum()
    return -share @ logs[rows, labels], share[:, None] * error


@wrong_answer("weighted_cross_entropy", told="exp of a large score is infinite")
def overflow(scores, labels, weights):
    rows = np.arange(len(labels))
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    share = weights[labels] / weights[labels].sum()
    error = p - np.eye(len(weights))[labels]
    return share @ -np.log(p[rows, labels]), share[:, None] * error


@wrong_answer("weighted_cross_entropy", told="a probability is rounded to 0")
def logarithm_of_a_rounded_probability(scores, labels, weights):
    rows = np.arange(len(labels))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    share = weights[labels] / weights[labels].sum()
    error = p - np.eye(len(weights))[labels]
    return share @ -np.log(p[rows, labels]), share[:, None] * error


@wrong_answer("best_f1_threshold", told="Cases with equal probabilities go together")
def ties_parted(probabilities, targets):
    order = np.argsort(-probabilities, kind="stable")
    found = np.cumsum(targets[order])
    f1 = 2 * found / (np.arange(1, len(order) + 1) + found[-1])
    return probabilities[order][f1.argmax()], f1.max()


@wrong_answer("best_f1_threshold", told="compare with ≥")
def strictly_above(probabilities, targets):
    thresholds = np.unique(probabilities)
    called = probabilities > thresholds[:, None]
    f1 = 2 * called @ targets / (called.sum(axis=1) + targets.sum())
    return thresholds[f1.argmax()], f1.max()


@wrong_answer("best_f1_threshold", told="F1 is 0, not 0/0")
def nothing_found(probabilities, targets):
    thresholds = np.sort(np.unique(probabilities))[::-1]
    f1 = []
    for t in thresholds:
        called = probabilities >= t
        precision = targets[called].sum() / called.sum()
        recall = targets[called].sum() / targets.sum()
        f1.append(2 * precision * recall / (precision + recall))
    best = np.argmax(f1)
    return thresholds[best], f1[best]


@wrong_answer("best_f1_threshold", told="Half of the best F1")
def half_of_the_best(probabilities, targets):
    called = probabilities >= probabilities[:, None]
    f1 = np.max(2 * called @ targets / (called.sum(axis=1) + targets.sum()))
    return f1 / 2, f1


@wrong_answer("best_f1_threshold", told="the threshold with the most right answers")
def most_right_answers(probabilities, targets):
    thresholds = np.unique(probabilities)[::-1]
    called = probabilities >= thresholds[:, None]
    best = np.argmax(called @ targets + (1 - called) @ (1 - targets))
    f1 = 2 * called @ targets / (called.sum(axis=1) + targets.sum())
    return thresholds[best], f1[best]


@wrong_answer("best_f1_threshold", told="You search on a grid")
def hundredths(probabilities, targets):
    thresholds = np.linspace(0, 1, 101)
    called = probabilities >= thresholds[:, None]
    f1 = 2 * called @ targets / (called.sum(axis=1) + targets.sum())
    return thresholds[f1.argmax()], f1.max()


@wrong_answer("best_f1_threshold", told="Soft targets were rounded")
def hard_targets_alone(probabilities, targets):
    labels, thresholds = targets >= 0.5, np.unique(probabilities)[::-1]
    f1 = []
    for t in thresholds:
        called = probabilities >= t
        found = np.sum(called & labels)
        f1.append(2 * found / (called.sum() + labels.sum()))
    return thresholds[np.argmax(f1)], np.max(f1)


@wrong_answer("dice_loss", told="You add up the pixels of all images")
def all_images_at_once(probabilities, masks, smooth):
    above = 2 * np.sum(probabilities * masks) + smooth
    below = np.sum(probabilities) + np.sum(masks) + smooth
    return 1 - above / below, above / below**2 - 2 * masks / below


@wrong_answer("dice_loss", told="ε is missing above the line")
def smooth_below_alone(probabilities, masks, smooth):
    above = 2 * np.sum(probabilities * masks, axis=1)[:, None]
    below = (probabilities.sum(axis=1) + masks.sum(axis=1) + smooth)[:, None]
    slope = above / below**2 - 2 * masks / below
    return np.mean(1 - above / below), slope / len(masks)


@wrong_answer("dice_loss", told="Without ε")
def without_smooth(probabilities, masks, smooth):
    above = 2 * np.sum(probabilities * masks, axis=1)[:, None]
    below = (probabilities.sum(axis=1) + masks.sum(axis=1))[:, None]
    slope = above / below**2 - 2 * masks / below
    return np.mean(1 - above / below), slope / len(masks)


@wrong_answer("dice_loss", told="a second term is missing")
def numerator_alone(probabilities, masks, smooth):
    above = 2 * np.sum(probabilities * masks, axis=1)[:, None] + smooth
    below = (probabilities.sum(axis=1) + masks.sum(axis=1))[:, None] + smooth
    return 1 - np.mean(above / below), -2 * masks / below / len(masks)


@wrong_answer("dice_loss", told="The factor 2 above the line is lost")
def lost_two(probabilities, masks, smooth):
    above = np.sum(probabilities * masks, axis=1)[:, None] + smooth
    below = (probabilities.sum(axis=1) + masks.sum(axis=1))[:, None] + smooth
    return np.mean(1 - above / below), (above / below**2 - masks / below) / len(masks)


@wrong_answer("dice_loss", told="The factor 1/m of the mean is lost")
def lost_mean(probabilities, masks, smooth):
    above = 2 * np.sum(probabilities * masks, axis=1)[:, None] + smooth
    below = (probabilities.sum(axis=1) + masks.sum(axis=1))[:, None] + smooth
    return np.mean(1 - above / below), above / below**2 - 2 * masks / below


@wrong_answer("focal_loss", told="a second term is missing")
def weight_taken_for_constant(logits, targets, gamma):
    u = np.where(targets == 1, logits, -logits)
    missing, cost = np.exp(-np.logaddexp(0, u)), np.logaddexp(0, -u)
    error = np.where(targets == 1, -missing, missing)
    return np.mean(missing**gamma * cost), missing**gamma * error / len(logits)


@wrong_answer("focal_loss", told="∞ · 0 is nan")
def not_cancelled(logits, targets, gamma):
    p = 1 / (1 + np.exp(-logits))
    right = np.where(targets == 1, p, 1 - p)
    by_right = gamma * (1 - right) ** (gamma - 1) * np.log(right) - (1 - right) ** gamma / right
    loss = -np.mean((1 - right) ** gamma * np.log(right))
    return loss, (2 * targets - 1) * by_right * p * (1 - p) / len(logits)


@wrong_answer("focal_loss", told="cancel on paper")
def stable_value_but_not_slope(logits, targets, gamma):
    u = (2 * targets - 1) * logits
    right, cost = 1 / (1 + np.exp(-u)), np.logaddexp(0, -u)
    by_right = gamma * (1 - right) ** (gamma - 1) * np.log(right) - (1 - right) ** gamma / right
    slope = (2 * targets - 1) * by_right * right * (1 - right)
    return np.mean(np.exp(-gamma * np.logaddexp(0, u)) * cost), slope / len(u)


@wrong_answer("focal_loss", told="1 − p_t is rounded to 0")
def one_minus(logits, targets, gamma):
    sign = 2 * targets - 1
    right, cost = 1 / (1 + np.exp(-sign * logits)), np.logaddexp(0, -sign * logits)
    weight = (1 - right) ** gamma
    slope = -weight * (gamma * right * cost + (1 - right))
    return np.mean(weight * cost), sign * slope / len(logits)


@wrong_answer("focal_loss", told="You clip p_t by 1e-7")
def clipped(logits, targets, gamma):
    sign = 2 * targets - 1
    p = np.clip(1 / (1 + np.exp(-sign * logits)), 1e-7, 1 - 1e-7)
    by_p = gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p
    loss = -np.mean((1 - p) ** gamma * np.log(p))
    return loss, sign * by_p * p * (1 - p) / len(logits)


@wrong_answer("focal_loss", told="For class 0 the slope turns its sign")
def sign_of_class_0(logits, targets, gamma):
    u = np.where(targets == 1, logits, -logits)
    missing, cost = np.exp(-np.logaddexp(0, u)), np.logaddexp(0, -u)
    slope = -(missing**gamma) * (gamma * np.exp(-cost) * cost + missing)
    return np.mean(missing**gamma * cost), slope / len(logits)


@wrong_answer("focal_loss", told="The exponent belongs to 1 − p_t")
def weight_of_the_sure(logits, targets, gamma):
    sign = 2 * targets - 1
    cost = np.logaddexp(0, -sign * logits)
    missing = np.exp(-np.logaddexp(0, sign * logits))
    weight = np.exp(-gamma * cost)
    return np.mean(weight * cost), sign * weight * missing * (gamma * cost - 1) / len(logits)


@wrong_answer("temperature", told="That is β = 1/T")
def inverse(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    right = np.mean(shifted[np.arange(len(labels)), labels])
    low, high = 0.05, 20.0
    while high - low > 1e-12:
        beta = (low + high) / 2
        p = np.exp(beta * shifted)
        p /= p.sum(axis=1, keepdims=True)
        low, high = (low, beta) if np.sum(p * shifted) / len(p) > right else (beta, high)
    return beta


@wrong_answer("temperature", told="search finer than on a grid")
def on_a_grid(scores, labels):
    best, lowest = None, np.inf
    for T in np.arange(5, 2001) / 100:
        shifted = (scores - scores.max(axis=1, keepdims=True)) / T
        right = shifted[np.arange(len(labels)), labels]
        loss = np.mean(np.log(np.exp(shifted).sum(axis=1)) - right)
        if loss < lowest:
            best, lowest = T, loss
    return best


@wrong_answer("temperature", told="best for the squared error")
def of_the_squared_error(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    one_hot = np.eye(scores.shape[1])[labels]
    low, high = 0.05, 20.0
    while high - low > 1e-12:
        beta = (low + high) / 2
        p = np.exp(beta * shifted)
        p /= p.sum(axis=1, keepdims=True)
        expected = np.sum(p * shifted, axis=1, keepdims=True)
        slope = np.sum((p - one_hot) * p * (shifted - expected))
        low, high = (low, beta) if slope > 0 else (beta, high)
    return 1 / beta


@wrong_answer("temperature", told="does exp overflow?")
def exp_overflows(scores, labels):
    right = np.mean(scores[np.arange(len(labels)), labels])
    low, high = 0.05, 20.0
    while high - low > 1e-12:
        beta = (low + high) / 2
        p = np.exp(beta * scores) / np.exp(beta * scores).sum(axis=1, keepdims=True)
        if np.sum(p * scores) / len(p) > right:
            high = beta
        else:
            low = beta
    return 1 / beta


@wrong_answer("temperature", told="T may be below 1")
def never_below_one(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    right = np.mean(shifted[np.arange(len(labels)), labels])
    low, high = 0.05, 1.0
    while high - low > 1e-12:
        beta = (low + high) / 2
        p = np.exp(beta * shifted)
        p /= p.sum(axis=1, keepdims=True)
        low, high = (low, beta) if np.sum(p * shifted) / len(p) > right else (beta, high)
    return 1 / beta
