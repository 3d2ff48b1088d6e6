"""Policy gradient (REINFORCE): a training function of the user's own from K.function and optimizer.get_updates."""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(5)
inputs = Input(shape=(3,))
hidden = Dense(12, activation="tanh")(inputs)
actions = Dense(3, activation="softmax")(hidden)
model = Model(inputs, actions)


def build_train_fn():
    action_prob_placeholder = model.output
    action_onehot_placeholder = K.placeholder(shape=(None, 3), name="action_onehot")
    discount_reward_placeholder = K.placeholder(shape=(None,), name="discount_reward")
    action_prob = K.sum(action_prob_placeholder * action_onehot_placeholder, axis=1)
    log_action_prob = K.log(action_prob)
    loss = -log_action_prob * discount_reward_placeholder
    loss = K.mean(loss)
    adam = Adam(lr=0.05)
    updates = adam.get_updates(params=model.trainable_weights, loss=loss)
    return K.function(
        inputs=[model.input, action_onehot_placeholder, discount_reward_placeholder], outputs=[loss], updates=updates
    )


train_fn = build_train_fn()
right = np.array([2, 0, 1])  # the action that is rewarded in each state
rewards = []
for _ in range(80):
    states = np.random.randint(0, 3, 32)
    probs = model.predict(np.eye(3)[states])
    chosen = np.array([np.random.choice(3, p=p / p.sum()) for p in probs])
    reward = (chosen == right[states]).astype("float32")
    rewards.append(reward.mean())
    discounted = (reward - reward.mean()) / (reward.std() + 1e-6)
    train_fn([np.eye(3)[states], np.eye(3)[chosen], discounted])
print("REWARDS %.3f %.3f" % (np.mean(rewards[:5]), np.mean(rewards[-5:])))
print("POLICY", model.predict(np.eye(3)).argmax(1).tolist())
