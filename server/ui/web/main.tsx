// Where the page begins.
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { render } from 'preact';
import { App } from './app';
import { start } from './state';

render(<App />, document.getElementById('app') as HTMLElement);
start();
