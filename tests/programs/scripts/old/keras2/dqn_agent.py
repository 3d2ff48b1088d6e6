"""A deep Q-network with a replay memory learns to walk to the right end of a corridor."""

import random
from collections import deque

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import Adam

np.random.seed(0)
random.seed(0)


class Corridor:
    size = 5

    def reset(self):
        self.position = 2
        return self.state()

    def state(self):
        return np.eye(self.size)[self.position]

    def step(self, action):
        self.position = max(0, min(self.size - 1, self.position + (1 if action else -1)))
        done = self.position in (0, self.size - 1)
        return self.state(), (1.0 if self.position == self.size - 1 else -1.0) if done else -0.01, done


class DQNAgent:
    def __init__(self, state_size, action_size):
        self.state_size, self.action_size = state_size, action_size
        self.memory = deque(maxlen=500)
        self.gamma, self.epsilon, self.epsilon_min, self.epsilon_decay = 0.9, 1.0, 0.05, 0.97
        self.model = self._build_model()
        self.target_model = self._build_model()
        self.update_target_model()

    def _build_model(self):
        model = Sequential()
        model.add(Dense(16, input_dim=self.state_size, activation="relu"))
        model.add(Dense(self.action_size, activation="linear"))
        model.compile(loss="mse", optimizer=Adam(lr=0.02))
        return model

    def update_target_model(self):
        self.target_model.set_weights(self.model.get_weights())

    def act(self, state):
        if np.random.rand() <= self.epsilon:
            return random.randrange(self.action_size)
        return np.argmax(self.model.predict(state)[0])

    def replay(self, batch_size):
        minibatch = random.sample(self.memory, batch_size)
        states = np.array([m[0][0] for m in minibatch])
        following = self.target_model.predict(np.array([m[3][0] for m in minibatch]))
        targets = self.model.predict(states)
        for row, (_, action, reward, _, done), after in zip(targets, minibatch, following):
            row[action] = reward if done else reward + self.gamma * np.amax(after)
        self.model.fit(states, targets, epochs=1, verbose=0)
        if self.epsilon > self.epsilon_min:
            self.epsilon *= self.epsilon_decay


env, agent = Corridor(), DQNAgent(5, 2)
for e in range(70):
    state, done = env.reset().reshape(1, 5), False
    while not done:
        action = agent.act(state)
        next_state, reward, done = env.step(action)
        next_state = next_state.reshape(1, 5)
        agent.memory.append((state, action, reward, next_state, done))
        state = next_state
    agent.update_target_model()
    if len(agent.memory) > 16:
        agent.replay(16)
q = agent.model.predict(np.eye(5))
print("POLICY", q[1:4].argmax(1).tolist(), "VALUE %.2f" % q[3, 1])
agent.model.save_weights("dqn.h5")
